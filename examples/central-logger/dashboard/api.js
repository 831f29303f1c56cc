/**
 * What the API answers, as `src/describe-routes.ts` describes it.
 * @typedef {{ readonly name: string, readonly at_ms: number, readonly detail?: unknown }} Step
 * @typedef {{ readonly log_id: string, readonly client_id: string, readonly ticket_id: string, readonly workflow: string, readonly status: 'success' | 'failure',
 *   readonly category: string, readonly executed_at: string, readonly duration_ms: number, readonly metrics: Readonly<Record<string, number>>,
 *   readonly payload: unknown, readonly trace: readonly Step[] }} Log
 * @typedef {{ readonly page: number, readonly page_size: number, readonly total: number, readonly pages: number }} Pagination
 * @typedef {{ readonly data: readonly Log[], readonly pagination: Pagination }} LogPage
 * @typedef {{ readonly total: number, readonly success: number, readonly failure: number, readonly failure_rate: number,
 *   readonly average_duration_ms: number | null, readonly last_executed_at: string | null }} Overview
 * @typedef {{ readonly category: string, readonly total: number, readonly failure: number, readonly average_duration_ms: number }} Category
 * @typedef {{ readonly from: string, readonly until: string, readonly success: number, readonly failure: number }} Period
 * @typedef {Readonly<Record<string, string>>} Filters
 */

const place = 'central-logger.key'

/** The key that the user gave. It is kept by the tab, and forgotten with it. */
export const apiKey = {
  get: () => sessionStorage.getItem(place),
  /** @param {string} key */
  keep: (key) => sessionStorage.setItem(place, key),
  forget: () => sessionStorage.removeItem(place),
}

/** An answer that is not the one that was asked for; 0 is none at all. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/**
 * Asks for something under `/api/v1`.
 * @param {string} path
 * @param {Filters} query
 * @param {AbortSignal} signal
 * @returns {Promise<any>} what the types above say of the path
 */
async function ask(path, query, signal) {
  // the page stands beside the API, below the same prefix
  const url = new URL(`api/v1/${path}`, document.baseURI)
  url.hash = ''
  url.search = new URLSearchParams(query).toString()
  const answer = await fetch(url, { headers: { 'X-API-Key': apiKey.get() ?? '' }, signal }).catch((error) => {
    if (signal.aborted) throw error
    throw new ApiError(0, 'The server does not answer.')
  })
  const body = await answer.json().catch(() => undefined)
  signal.throwIfAborted()
  if (!answer.ok) throw new ApiError(answer.status, String(body?.detail ?? body?.message ?? `The server answered ${answer.status}.`))
  if (body === undefined) throw new ApiError(answer.status, 'What answers here is not the server: it sent no JSON.')
  return body
}

/** @type {(filters: Filters, signal: AbortSignal) => Promise<Overview>} */
export const readOverview = (filters, signal) => ask('metrics/overview', filters, signal)

/** @type {(filters: Filters, signal: AbortSignal) => Promise<readonly Category[]>} */
export const readCategories = (filters, signal) => ask('metrics/categories', filters, signal)

/** @type {(filters: Filters, signal: AbortSignal) => Promise<readonly Period[]>} */
export const readTimeline = (filters, signal) => ask('metrics/timeline', filters, signal)

/** @type {(query: Filters, signal: AbortSignal) => Promise<LogPage>} */
export const readLogs = (query, signal) => ask('logs', query, signal)
