import { type HttpMethod, type QueryPair, writeQuery } from '@strongroom/contract'
import { NetworkError, StrongroomClientError, TimeoutError } from './errors.ts'
import type { CallOptions, ClientOptions } from './options.ts'
import { readError, strangeError } from './read-error.ts'
import { longestTimer, patienceOf, pause, readRetryAfter, waitBeforeNext } from './retry.ts'

/** One logical request, however often it is tried. */
export interface Call extends CallOptions {
  readonly method: HttpMethod
  /** Below the base URL, percent-encoded. */
  readonly path: string
  readonly query?: readonly QueryPair[] | undefined
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  readonly body?: unknown
}

/** What came back, with a status of 2xx or 304. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Undefined where the answer has no body. */
  readonly body: unknown
}

/** Sends a request, and again where that is safe and may help. */
export type Transport = (call: Call) => Promise<Answer>

/** Opens an answer that goes on for ever; `once` without another try. Rejects as a transport does. */
export type OpenStream = (call: Call, once: boolean) => Promise<Response>

/** A request as it is sent each time. */
interface Sendable {
  readonly url: string
  readonly body: string | undefined
}

type TimedOptions = ClientOptions & { readonly timeout: number }

/** A try that failed, in a way that another one may mend. */
interface Setback {
  readonly error: StrongroomClientError
  /** Nothing came back: the server may have done it, or be at it. */
  readonly unanswered: boolean
  readonly retryAfter?: number | undefined
}

/** Asked too often, or an answer that only says that there is none now. */
const passing = new Set([429, 502, 503, 504])

/** Makes what sends requests. Throws RangeError for retries that cannot be. */
export function makeTransport(options: ClientOptions): Transport {
  const { timeout = 30_000 } = options
  const patience = patienceOf(options.retries)
  return async (call) => {
    const request = {
      url: urlOf(options, call),
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
    }
    let underWay = false
    for (let tried = 1; ; tried++) {
      call.signal?.throwIfAborted()
      const outcome = await attempt(request, call, { ...options, timeout }, underWay)
      if (!('error' in outcome)) return outcome
      const wait = waitBeforeNext(patience, tried, outcome.retryAfter)
      if (wait === undefined) throw outcome.error
      underWay ||= outcome.unanswered
      await pause(wait, call.signal)
    }
  }
}

/** Makes what opens streams. */
export function makeStreamOpener(options: ClientOptions): OpenStream {
  const { timeout = 30_000 } = options
  const patience = patienceOf(options.retries)
  return async (call, once) => {
    const url = urlOf(options, call)
    for (let tried = 1; ; tried++) {
      call.signal?.throwIfAborted()
      const outcome = await openOnce(url, call, { ...options, timeout })
      if (!('error' in outcome)) return outcome
      const wait = once ? undefined : waitBeforeNext(patience, tried, outcome.retryAfter)
      if (wait === undefined) throw outcome.error
      await pause(wait, call.signal)
    }
  }
}

function urlOf({ baseUrl }: ClientOptions, { path, query = [] }: Call): string {
  const text = writeQuery(query)
  return `${baseUrl.replace(/\/+$/, '')}${path}${text === '' ? '' : `?${text}`}`
}

/** One try to open a stream. Only its beginning has to come in time. */
async function openOnce(url: string, call: Call, options: TimedOptions): Promise<Response | Setback> {
  const { fetch = globalThis.fetch, timeout } = options
  const headers = await headersOf(call, options)
  call.signal?.throwIfAborted()
  const ending = new AbortController()
  call.signal?.addEventListener('abort', () => ending.abort(call.signal?.reason), { once: true })
  const timer = setTimeout(() => ending.abort(), Math.min(timeout, longestTimer))
  try {
    const response = await fetch(url, { method: call.method, headers, signal: ending.signal })
    if (response.ok) return response
    const error = readError(response.status, readBody(await response.text()), response.headers.get('x-request-id') ?? undefined)
    if (!passing.has(response.status)) throw error
    return { error, unanswered: false, retryAfter: readRetryAfter(response.headers.get('retry-after'), Date.now()) }
  } catch (cause) {
    if (call.signal?.aborted) throw call.signal.reason
    if (cause instanceof StrongroomClientError) throw cause
    return { error: ending.signal.aborted ? new TimeoutError(timeout) : new NetworkError(cause), unanswered: true }
  } finally {
    clearTimeout(timer)
  }
}

/** One try. Throws what no other try can mend. */
async function attempt(request: Sendable, call: Call, options: TimedOptions, underWay: boolean): Promise<Answer | Setback> {
  const headers = await headersOf(call, options)
  call.signal?.throwIfAborted()
  const received = await receive(request, call, headers, options)
  if ('error' in received) return received
  const { response, text } = received
  const requestId = response.headers.get('x-request-id') ?? call.requestId
  const body = readBody(text)
  if (response.ok || response.status === 304) {
    if (body === unreadable) throw strangeError(response.status, requestId)
    return { status: response.status, headers: response.headers, body }
  }
  const error = readError(response.status, body, requestId)
  // The first try may still be running in the server; its answer can be had when it is done.
  const mayEnd = underWay && error.code === 'state_conflict'
  if (!mayEnd && !passing.has(response.status)) throw error
  // Of a proxy nobody knows what became of the try behind it.
  const mayRun = error.code === 'unexpected_answer' || error.code === 'commit_unknown'
  return { error, unanswered: mayEnd || mayRun, retryAfter: readRetryAfter(response.headers.get('retry-after'), Date.now()) }
}

interface Received {
  readonly response: Response
  readonly text: string
}

/** Sends a try and waits for its whole answer. */
async function receive(
  { url, body }: Sendable,
  call: Call,
  headers: Headers,
  { fetch = globalThis.fetch, timeout }: TimedOptions,
): Promise<Received | Setback> {
  const ending = new AbortController()
  const end = (): void => ending.abort(call.signal?.reason)
  const timer = setTimeout(() => ending.abort(), Math.min(timeout, longestTimer))
  call.signal?.addEventListener('abort', end, { once: true })
  try {
    const response = await fetch(url, { method: call.method, headers, ...(body !== undefined && { body }), signal: ending.signal })
    return { response, text: await response.text() }
  } catch (cause) {
    if (call.signal?.aborted) throw call.signal.reason
    const late = ending.signal.aborted
    return { error: late ? new TimeoutError(timeout, call.requestId) : new NetworkError(cause, call.requestId), unanswered: true }
  } finally {
    clearTimeout(timer)
    call.signal?.removeEventListener('abort', end)
  }
}

async function headersOf(call: Call, { headers }: ClientOptions): Promise<Headers> {
  const given = typeof headers === 'function' ? await headers() : headers
  const own = {
    accept: 'application/json',
    'content-type': call.body === undefined ? undefined : 'application/json',
    'x-request-id': call.requestId,
    ...call.headers,
  }
  // What a call says goes before what the client says, however it is spelt. A value that no header can have throws here, once.
  const all = new Headers(given)
  for (const [name, value] of Object.entries(own)) if (value !== undefined) all.set(name, value)
  return all
}

const unreadable = Symbol('unreadable')

function readBody(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return unreadable
  }
}
