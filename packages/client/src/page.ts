import { type Pagination, type QueryPair, splitQuery } from '@strongroom/contract'
import type { Page } from './list-options.ts'

/** Stands in a cursor where the server leads on by offsets, as it does to those who asked with one. */
const offsetMark = 'offset:'

/** The parameter of a cursor. */
export function cursorPair(name: 'after' | 'before', cursor: string): QueryPair {
  return cursor.startsWith(offsetMark) ? { name: 'offset', value: cursor.slice(offsetMark.length) } : { name, value: cursor }
}

/** Where a page stands, as headers say it. */
export function placeInHeaders(headers: Headers): Omit<Page<never>, 'records'> {
  const count = headers.get('x-total-count')
  // Links have no room for a long query.
  const next = linkCursor(headers, 'next', 'after') ?? headers.get('x-next-cursor')
  const previous = linkCursor(headers, 'prev', 'before') ?? headers.get('x-previous-cursor')
  return placeOf(count === null ? null : Number(count), next, previous)
}

/** Where a page stands, as an envelope says it. */
export function placeInEnvelope({ total, next, previous }: Pagination): Omit<Page<never>, 'records'> {
  return placeOf(total, next, previous)
}

function placeOf(total: number | null, next: string | null, previous: string | null): Omit<Page<never>, 'records'> {
  return { ...(total !== null && { total }), ...(next !== null && { next }), ...(previous !== null && { previous }) }
}

/** The cursor of the page that `Link` calls so; of RFC 8288 no more than our servers use. */
function linkCursor(headers: Headers, relation: 'next' | 'prev', name: 'after' | 'before'): string | null {
  for (const [, target = '', found] of (headers.get('link') ?? '').matchAll(/<([^>]*)>\s*;\s*rel="?(\w+)"?/g)) {
    if (found !== relation) continue
    const pairs = splitQuery(target.slice(target.indexOf('?') + 1))
    const value = (wanted: string) => pairs.find((pair) => pair.name === wanted)?.value
    const offset = value('offset')
    return value(name) ?? (offset === undefined ? null : offsetMark + offset)
  }
  return null
}
