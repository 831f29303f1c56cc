import { type ResponseStyle, responseStyles } from '@strongroom/contract'

/** How often and how patiently a request is tried again. */
export interface RetryOptions {
  /** Tries in all, the first included; 4 unless said. With 1 nothing is tried again. */
  readonly attempts?: number | undefined
  /** Milliseconds before the second try, at most; they double with each further one. 200 unless said. */
  readonly delay?: number | undefined
  /** The most milliseconds between two tries, where the server does not ask for more; 5,000 unless said. */
  readonly maxDelay?: number | undefined
  /** The longest `Retry-After` that is waited for, in milliseconds; for a longer one the error is thrown at once. 60,000 unless said. */
  readonly maxRetryAfter?: number | undefined
}

/** Headers that go with every request. */
export type HeaderSource = Readonly<Record<string, string>>

/** What `createClient` takes. */
export interface ClientOptions {
  /** Where the components are: `https://api.example.com`, with the prefix that the server has. */
  readonly baseUrl: string
  /** Headers of every request, or a function that makes them for each try, e.g. with a fresh token. */
  readonly headers?: HeaderSource | (() => HeaderSource | Promise<HeaderSource>) | undefined
  /** Who writes (`X-User`), for servers without a login of their own. */
  readonly actor?: string | undefined
  /** Sends the requests; the global `fetch` unless said. */
  readonly fetch?: typeof globalThis.fetch | undefined
  readonly retries?: RetryOptions | undefined
  /** Milliseconds in which each try must have its whole answer; 30,000 unless said. */
  readonly timeout?: number | undefined
  /** What the server's option of the same name says; `bare` unless said. */
  readonly responses?: ResponseStyle | undefined
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Names the request in the answer, in errors and in audit entries (`X-Request-Id`). */
  readonly requestId?: string | undefined
}

/** What every write takes. */
export interface WriteOptions extends CallOptions {
  /** Who writes; the client's `actor` unless said. */
  readonly actor?: string | undefined
  /** Does everything, hooks included, then rolls back and answers what would have been. */
  readonly dryRun?: boolean | undefined
  /** Does the write once, whoever repeats it and however often; a new one for each call unless said. */
  readonly idempotencyKey?: string | undefined
}

/** A write that is refused when the record has changed since it was read. */
export interface ConditionalWriteOptions extends WriteOptions {
  /** The ETag that the record must still have: `etagOf(record)`. Of a record that this client has read it is known. */
  readonly ifMatch?: string | undefined
}

/** The names of all options: a misspelt one would do nothing, silently. */
const optionNames = Object.keys({
  baseUrl: true,
  headers: true,
  actor: true,
  fetch: true,
  retries: true,
  timeout: true,
  responses: true,
} satisfies Record<keyof ClientOptions, true>)

/** Checks what a compiler may not have seen. Throws TypeError or RangeError that names the option. */
export function checkOptions(options: ClientOptions): void {
  const stranger = Object.keys(options).find((name) => !optionNames.includes(name))
  if (stranger !== undefined) throw new TypeError(`"${stranger}" is no option of createClient. There are ${optionNames.join(', ')}.`)
  const { baseUrl, timeout = 1, responses = 'bare' } = options
  if (typeof baseUrl !== 'string') throw new TypeError('baseUrl says where the server is, e.g. https://api.example.com.')
  if (!(timeout > 0)) throw new RangeError('timeout is a number of milliseconds above 0.')
  if (!responseStyles.includes(responses)) throw new TypeError(`responses is one of ${responseStyles.join(', ')}.`)
}
