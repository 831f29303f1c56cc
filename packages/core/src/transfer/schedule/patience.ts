/** Milliseconds, ten minutes, in which a target takes or gives no byte, and answers nothing, until it counts as hung: a slow one goes on. */
export const targetPatience = 600_000

/** Somebody else's code may never answer: an end does not wait for it. */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  signal.throwIfAborted()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const end = (): void => reject(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([promise, ended])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** What a target is waited for. */
export interface Waiting {
  /** Ends the waiting. */
  readonly signal: AbortSignal
  /** Milliseconds; see `targetPatience`. */
  readonly patience: number
}

/**
 * Asks a target for something, and waits as long as it goes on.
 * @param ask is given what begins the time anew, and a signal that is aborted when it is over
 */
export async function patiently<T>(
  { signal, patience }: Waiting,
  ask: (goesOn: () => void, end: AbortSignal) => Promise<T> | T,
): Promise<T> {
  const over = new AbortController()
  const hung = (): void => over.abort(new Error(`The target did nothing for ${patience / 1_000} seconds.`))
  const timer = setTimeout(hung, patience).unref()
  const end = AbortSignal.any([signal, over.signal])
  try {
    end.throwIfAborted()
    const asked = async (): Promise<T> => await ask(() => void timer.refresh(), end)
    return await unlessAborted(end, asked())
  } finally {
    clearTimeout(timer)
  }
}
