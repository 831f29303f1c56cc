/** How a page was asked for. */
export interface PageRequest {
  readonly limit: number
  readonly offset: number
}

/** What is known of a page beside its records. */
export interface PagePlace {
  /** Records on all pages, where they were counted. */
  readonly total?: number
  /** Cursors of the pages around this one. */
  readonly next?: string
  readonly previous?: string
}

const pageParameters = new Set(['limit', 'offset', 'skip', 'after', 'before'])

/** Characters that the header may have. Clients give up on answers whose headers have more than 16 KiB in all, or 8 KiB: Node, nginx. */
const longestHeader = 6000

/** What is left out of a header that would be too long, first what can be done without. */
const dispensable = ['last', 'first', 'prev', 'next']

/**
 * The `Link` header (RFC 8288) of a page: first, prev, next, last; last only where the records were counted. A page that was asked
 * for by an offset has neighbours by offset; any other has them by cursors, which stay true while records come and go. A query so
 * long that clients could not take them leads to fewer links, or none: an empty text.
 *
 * @param url the request's path and query, whose other parameters stay as they are
 */
export function pageLinks(url: string, { limit, offset }: PageRequest, { total, next, previous }: PagePlace): string {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const kept =
    mark < 0
      ? []
      : url
          .slice(mark + 1)
          .split('&')
          .filter((part) => part !== '' && !pageParameters.has(part.split('=', 1)[0] ?? ''))
  const start = inHeader(`${path}?${[...kept, `limit=${limit}`].join('&')}`)
  const link = (relation: string, place: string): string => `<${start}&${inHeader(place)}>; rel="${relation}"`
  const links = new Map([['first', link('first', 'offset=0')]])
  if (offset > 0) links.set('prev', link('prev', `offset=${Math.max(0, offset - limit)}`))
  else if (previous !== undefined) links.set('prev', link('prev', `before=${previous}`))
  if (next !== undefined) links.set('next', link('next', offset > 0 ? `offset=${offset + limit}` : `after=${next}`))
  if (total !== undefined) links.set('last', link('last', `offset=${lastOffset(limit, offset, total)}`))
  for (const relation of dispensable) {
    const header = headerOf(links)
    if (header.length <= longestHeader) return header
    links.delete(relation)
  }
  return headerOf(links)
}

/** Whether there is a link to the page that is called so. */
export function leadsTo(links: string, relation: 'next' | 'prev'): boolean {
  return links.includes(`; rel="${relation}"`)
}

function headerOf(links: ReadonlyMap<string, string>): string {
  return [...links.values()].join(', ')
}

/** The last page is reached from this one in whole steps. */
function lastOffset(limit: number, offset: number, total: number): number {
  const start = offset % limit
  return total <= start ? 0 : start + Math.floor((total - 1 - start) / limit) * limit
}

/** Encodes what would end the link, or cannot stand in a header. */
function inHeader(url: string): string {
  return url.replaceAll(/[^\x21-\x7e]|[<>"\\]/gu, (character) => encodeURIComponent(character))
}
