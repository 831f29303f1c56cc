/** One `name=value` of a query string, decoded. */
export interface QueryPair {
  readonly name: string
  readonly value: string
}

/** What is wrong with a query string: a sentence for the caller. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
}

/** Pairs that a query string may have; more are nobody's question. */
const mostPairs = 1000

/**
 * Takes a query string apart. Plus signs are spaces, as in forms.
 *
 * @param raw what stands after the `?`, as it came
 * @throws QueryError for a percent sign that starts no UTF-8 character, and for more than 1,000 parameters
 * @example splitQuery('name=A%20B&tag=x') // [{ name: 'name', value: 'A B' }, { name: 'tag', value: 'x' }]
 */
export function splitQuery(raw: string): QueryPair[] {
  if (raw === '') return []
  const parts = raw.split('&').filter((part) => part !== '')
  if (parts.length > mostPairs) throw new QueryError(`The query has more than ${mostPairs} parameters.`)
  return parts.map((part) => {
    const equals = part.indexOf('=')
    if (equals < 0) return { name: decode(part), value: '' }
    return { name: decode(part.slice(0, equals)), value: decode(part.slice(equals + 1)) }
  })
}

/** A name or value as a message repeats it: at most 100 characters. */
export function shown(text: string): string {
  return text.length > 100 ? `"${text.slice(0, 100)}…"` : `"${text}"`
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    throw new QueryError(`${shown(text)} in the query is not percent-encoded UTF-8.`)
  }
}

/**
 * Reads the parameters of a route that takes no filters.
 *
 * @param known the names that the route takes; each may be given once
 * @param lists those of them that list names, which may be given several times as well
 * @throws QueryError that names an unknown or repeated parameter, and the ones that exist
 */
export function readParameters<Name extends string>(raw: string, known: readonly Name[], lists: readonly Name[] = []): Map<Name, string> {
  const found = new Map<Name, string>()
  for (const { name, value } of splitQuery(raw)) {
    const parameter = known.find((candidate) => candidate === name)
    if (parameter === undefined) throw new QueryError(`There is no parameter ${shown(name)} here. ${listOf('Parameters', known)}`)
    const before = found.get(parameter)
    if (before !== undefined && !lists.includes(parameter)) throw new QueryError(`${name} is given twice.`)
    found.set(parameter, before === undefined ? value : `${before},${value}`)
  }
  return found
}

/** `Parameters: limit, offset.`, or a sentence that there are none. */
export function listOf(title: string, names: readonly string[]): string {
  return names.length > 0 ? `${title}: ${names.join(', ')}.` : `${title}: none.`
}

const words: Readonly<Record<string, boolean>> = { true: true, yes: true, '1': true, false: false, no: false, '0': false }

/** Reads a boolean as people and programs write it: true/false, yes/no, 1/0, in any case. Undefined for anything else. */
export function readBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase()
  return Object.hasOwn(words, word) ? words[word] : undefined
}

/** Reads a whole number from `least` to `most`. Undefined for anything else: no sign, exponent or white space is taken. */
export function readWholeNumber(text: string, least: number, most: number): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= least && value <= most ? value : undefined
}
