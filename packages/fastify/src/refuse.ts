import { UsageError } from '@strongroom/core'

/** A whole number from 1 on. */
export function wholeNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
  return refuse(`${name} is a whole number from 1 on.`)
}

/** Refuses a misspelt option, or one that does not exist yet, by its name. */
export function refuseUnknown(what: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) refuse(`"${name}" is no option of ${what}. There are ${known.join(', ')}.`)
  }
}

/** Refuses options. */
export function refuse(message: string): never {
  throw new UsageError('invalid_options', message)
}
