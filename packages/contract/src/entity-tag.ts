import { QueryError, shown } from './query-string.ts'

/** An element of a list, with the empty ones around it, which count for nothing (RFC 9110, section 5.6.1.2). */
const listed = /[\s,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"(?=\s*(?:,|$))[\s,]*/y

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
  do {
    const found = listed.exec(text)
    if (!found) throw new QueryError(`${header} is * or a list of entity tags in double quotes, and not ${shown(text)}.`)
    const [, weak, version = ''] = found
    all.push(version)
    if (weak === undefined) strong.push(version)
  } while (listed.lastIndex < text.length)
  return { any: false, strong, all }
}
