/** What the clients are asked; to `forget` is to keep only what is acknowledged from then on. */
export type ClientsQuestion = 'window' | 'acknowledged' | 'forget' | 'end'

/** How requests of one kind went since the last report. Times in milliseconds. */
export interface KindReport {
  readonly requests: number
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** Answers that were not 2xx, by status or error. */
  readonly refused: Readonly<Record<string, number>>
  /** How many of these had no Retry-After. */
  readonly withoutRetryAfter: number
}

export interface WindowReport {
  readonly write: KindReport
  readonly read: KindReport
}

export type ClientsAnswer = WindowReport | { readonly acknowledged: readonly (readonly number[])[] }
