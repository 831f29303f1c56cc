import { InvalidQueryError } from '../errors.ts'

/** A limit or offset as it was asked for. Throws InvalidQueryError for what is no whole number from 0 on. */
export function wholeNumber(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value
  throw new InvalidQueryError(`${name} is a whole number from 0 on.`)
}
