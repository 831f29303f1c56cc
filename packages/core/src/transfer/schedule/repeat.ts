/** Milliseconds, some 24 days: a timer of Node's that is set for longer comes at once. */
const longestTimer = 2 ** 31 - 1

/** When something is done again and again, in milliseconds. */
export interface Repetition {
  /** From now to the first time. */
  readonly first: number
  /** From one time to the next. */
  readonly every: number
}

/** Calls back again and again, however far the times are apart. That alone keeps no process alive. Answers how to stop it. */
export function repeat({ first, every }: Repetition, call: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (left: number): void => {
    const step = Math.min(left, longestTimer)
    timer = setTimeout(() => {
      wait(left > step ? left - step : every)
      if (left === step) call()
    }, step).unref()
  }
  wait(first)
  return () => clearTimeout(timer)
}
