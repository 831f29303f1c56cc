import { performance } from 'node:perf_hooks'

/** Milliseconds between two looks. */
const interval = 50

/** Tells threads how busy the event loop of this one is, in thousandths of the time, while any of them works. */
class MainLoad {
  /** Shared with them. */
  readonly cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #watchers = 0
  #timer: NodeJS.Timeout | undefined

  /** Looks until the answer is called. */
  watch(): () => void {
    if (this.#watchers++ === 0) this.#begin()
    let watching = true
    return () => {
      if (!watching) return
      watching = false
      if (--this.#watchers === 0) clearInterval(this.#timer)
    }
  }

  #begin(): void {
    let last = performance.eventLoopUtilization()
    this.#timer = setInterval(() => {
      const now = performance.eventLoopUtilization()
      Atomics.store(this.cell, 0, Math.round(performance.eventLoopUtilization(now, last).utilization * 1_000))
      last = now
    }, interval)
    this.#timer.unref()
  }
}

export const mainLoad = new MainLoad()
