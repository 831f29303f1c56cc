/** How a delivery went: it arrived, it will never be taken, or it has to be tried again, after some milliseconds where the server says so. */
export type Delivery =
  | { readonly outcome: 'arrived' }
  | { readonly outcome: 'rejected'; readonly reason: string }
  | { readonly outcome: 'later'; readonly reason: string; readonly after?: number }

export interface Destination {
  readonly url: string
  readonly apiKey: string
  /** Milliseconds within which an answer has to be there. */
  readonly timeout: number
  readonly fetch: typeof fetch
}

/** What a server says that does not like the records themselves; anything else may be over by the next try. */
const refusals: readonly number[] = [400, 409, 413, 422]

/** An earlier try has the key, and may still be done or undone: nothing was said of the records. */
function isUnderWay(status: number, text: string): boolean {
  return status === 409 && /"code":\s*"state_conflict"/.test(text)
}

/** Sends records in one request, whose key makes the server take it once however often it arrives. */
export async function deliver({ url, apiKey, timeout, fetch }: Destination, key: string, lines: readonly string[]): Promise<Delivery> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': apiKey, 'idempotency-key': key },
      body: `[${lines.join(',')}]`,
      signal: AbortSignal.timeout(timeout),
    })
    const text = await response.text()
    if (response.ok) return { outcome: 'arrived' }
    const reason = `${response.status} ${text.slice(0, 500)}`
    if (refusals.includes(response.status) && !isUnderWay(response.status, text)) return { outcome: 'rejected', reason }
    const after = Number(response.headers.get('retry-after')) * 1000
    return { outcome: 'later', reason, ...(after > 0 && { after }) }
  } catch (error) {
    return { outcome: 'later', reason: error instanceof Error ? error.message : String(error) }
  }
}
