import { QueryError, shown } from './query-string.ts'

const listed = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(,|$)/y

/** A version as a strong entity tag (RFC 9110, section 8.8.3). */
export function entityTag(version: string): string {
  return `"${version}"`
}

/** What `If-Match` or `If-None-Match` lists. */
export interface EntityTags {
  /** `*`: any version that there is. */
  readonly any: boolean
  /** Versions of strong tags. */
  readonly strong: readonly string[]
  /** Versions of strong and weak tags alike. */
  readonly all: readonly string[]
}

/**
 * Reads `If-Match` or `If-None-Match` (RFC 9110, section 13.1).
 *
 * @throws QueryError for what is no list of entity tags
 * @example parseEntityTags('If-Match', '"a", W/"b"') // { any: false, strong: ['a'], all: ['a', 'b'] }
 */
export function parseEntityTags(header: string, text: string): EntityTags {
  if (text.trim() === '*') return { any: true, strong: [], all: [] }
  const strong: string[] = []
  const all: string[] = []
  listed.lastIndex = 0
  for (let ended = false; !ended; ) {
    const found = listed.exec(text)
    if (!found) throw new QueryError(`${header} is * or a list of entity tags in double quotes, and not ${shown(text)}.`)
    const [, weak, version = '', separator] = found
    all.push(version)
    if (weak === undefined) strong.push(version)
    ended = separator === ''
  }
  return { any: false, strong, all }
}
