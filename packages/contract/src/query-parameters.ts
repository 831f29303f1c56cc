import { listOf, QueryError, readBoolean, readWholeNumber, shown } from './query-string.ts'

/** Parameters by name, each as often as it was given. */
export type Parameters = ReadonlyMap<string, readonly string[]>

/** The value of a parameter that may be given once. Throws QueryError. */
export function once(parameters: Parameters, name: string): string | undefined {
  const values = parameters.get(name)
  if (values && values.length > 1) throw new QueryError(`${name} is given twice.`)
  return values?.[0]
}

/** Reads a list of names out of a parameter, each of them known. Throws QueryError. */
export function readNames(parameter: string, texts: readonly string[], known: readonly string[]): string[] {
  const names = texts.flatMap((text) => text.split(',')).filter((name) => name !== '')
  const stranger = names.find((name) => !known.includes(name))
  if (stranger !== undefined)
    throw new QueryError(`${shown(stranger)} in ${parameter} is none that there is. ${listOf('There are', known)}`)
  if (parameter === 'fields' && names.length === 0) throw new QueryError(`fields names at least one field. ${listOf('Fields', known)}`)
  return [...new Set(names)]
}

/** Reads a parameter that is true or false, and false where it is not given. */
export function readFlag(name: string, text: string | undefined): boolean {
  if (text === undefined) return false
  const flag = readBoolean(text)
  if (flag === undefined) throw new QueryError(`${name} is true or false.`)
  return flag
}

/** Reads how many are wanted. Throws QueryError. */
export function readLimit(
  text: string | undefined,
  { defaultLimit, maxLimit }: { readonly defaultLimit: number; readonly maxLimit: number },
): number {
  if (text === undefined) return defaultLimit
  const limit = readWholeNumber(text, 1, maxLimit)
  if (limit === undefined) throw new QueryError(`limit is a whole number from 1 to ${maxLimit}.`)
  return limit
}
