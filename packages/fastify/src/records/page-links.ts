/** Where a page lies among the records. */
export interface Page {
  readonly limit: number
  readonly offset: number
  /** Records on the page. */
  readonly size: number
  readonly hasNext: boolean
  /** Records on all pages, where they were counted. */
  readonly total?: number
}

const pageParameters = new Set(['limit', 'offset', 'skip'])

/**
 * The `Link` header (RFC 8288) of a page: first, prev, next, last; last only where the records were counted.
 *
 * @param url the request's path and query, whose other parameters stay as they are
 */
export function pageLinks(url: string, page: Page): string {
  const [path = '', raw = ''] = url.split(/\?(.*)/s)
  const kept = raw.split('&').filter((part) => part !== '' && !pageParameters.has(part.split('=', 1)[0] ?? ''))
  const link = (relation: string, offset: number): string => {
    const query = [...kept, `limit=${page.limit}`, `offset=${offset}`].join('&')
    return `<${inHeader(`${path}?${query}`)}>; rel="${relation}"`
  }
  const links = [link('first', 0)]
  if (page.offset > 0) links.push(link('prev', Math.max(0, page.offset - page.limit)))
  if (page.hasNext) links.push(link('next', page.offset + page.limit))
  if (page.total !== undefined) links.push(link('last', lastOffset(page, page.total)))
  return links.join(', ')
}

/** The last page is reached from this one in whole steps. */
function lastOffset({ limit, offset }: Page, total: number): number {
  const start = offset % limit
  return total <= start ? 0 : start + Math.floor((total - 1 - start) / limit) * limit
}

/** Encodes what would end the link, or cannot stand in a header. */
function inHeader(url: string): string {
  return url.replaceAll(/[^\x21-\x7e]|[<>"\\]/gu, (character) => encodeURIComponent(character))
}
