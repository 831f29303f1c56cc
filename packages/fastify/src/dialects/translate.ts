import { QueryError, type ResponseStyle, splitQuery } from '@strongroom/contract'
import { refuse } from '../refuse.ts'
import type { Dialect, DialectSetting, GivenPair } from './dialect.ts'
import { jsonServer } from './json-server.ts'
import { simpleRest } from './simple-rest.ts'

/** The dialects that there are, by the name that an option has for them. */
const dialects = { 'simple-rest': simpleRest, 'json-server': jsonServer } as const satisfies Readonly<Record<string, Dialect>>

/** A way to write queries other than ours: that of react-admin's simple REST provider, and that of json-server. */
export type DialectName = keyof typeof dialects

/** What is said about answers where the dialects are set. */
interface Options {
  readonly dialects?: readonly DialectName[] | undefined
  readonly responses?: ResponseStyle | undefined
}

/** Checks the names of dialects. Throws UsageError `invalid_options` that names what is unknown. */
export function resolveDialects({ dialects: given = [], responses }: Options): readonly DialectName[] {
  const known = Object.keys(dialects)
  if (!Array.isArray(given)) refuse(`dialects is a list of ${known.join(', ')}.`)
  const stranger: unknown = given.find((name: unknown) => !(typeof name === 'string' && known.includes(name)))
  if (stranger !== undefined) refuse(`dialects names ${JSON.stringify(stranger)}, which is none. There are ${known.join(', ')}.`)
  if (given.length > 0 && responses === 'envelope')
    refuse('dialects are for clients that take bare answers. Leave responses or dialects out.')
  return given
}

/**
 * Puts a query that is written in one of the dialects into our own words. A query that has none of theirs stays as it is, to the
 * letter; whatever is not understood stays too, and is refused by our own grammar.
 *
 * @param of the query of a list, or of one record
 * @param raw what stands after the `?`, as it came
 * @throws QueryError that names what cannot be said in our words
 * @example
 * translateQuery(['simple-rest'], 'list', 'sort=["name","DESC"]&range=[0,9]', setting) // 'sort=-name&offset=0&limit=10'
 */
export function translateQuery(names: readonly DialectName[], of: keyof Dialect, raw: string, setting: DialectSetting): string {
  return names.reduce((query, name) => {
    const translated = dialects[name][of](givenPairs(query), setting)
    if (!translated) return query
    return translated.map((pair) => `${encode(pair.name)}=${encode(pair.value)}`).join('&')
  }, raw)
}

function givenPairs(raw: string): GivenPair[] {
  const parts = raw.split('&').filter((part) => part !== '')
  return splitQuery(raw).map((pair, index) => ({ ...pair, bare: parts[index]?.includes('=') === false }))
}

/** Brackets and commas may stand in a query as they are. */
function encode(text: string): string {
  if (!text.isWellFormed()) throw new QueryError('The query has text that is not Unicode.')
  return encodeURIComponent(text).replaceAll(/%5B|%5D|%2C/g, decodeURIComponent)
}
