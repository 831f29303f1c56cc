import { readFileSync } from 'node:fs'

/** How the event loop of a process has been. Milliseconds. */
export interface Beats {
  /** By how much the heartbeat was late at most. */
  readonly stall: number
  /** The same without what the thread has waited for a processor: what other programs of the machine take is no stall of ours. */
  readonly ownStall: number
  /** How much of that was spent waiting, as for the disk, and not computing. */
  readonly blocked: number
}

/** Milliseconds between two looks at the clock. */
const interval = 5

/** Watches the event loop of this process. `onBeat` is called with each look. Linux alone tells what a thread has waited for. */
export function startHeartbeat(onBeat: () => void = () => undefined): { take(): Beats; stop(): void } {
  let worst: Beats = { stall: 0, ownStall: 0, blocked: 0 }
  let last = look()
  const timer = setInterval(() => {
    const now = look()
    const stall = now.at - last.at - interval
    const ownStall = stall - (now.waited - last.waited)
    const blocked = ownStall - (now.computed - last.computed)
    if (ownStall > worst.ownStall) worst = { stall: worst.stall, ownStall, blocked: Math.max(0, blocked) }
    if (stall > worst.stall) worst = { ...worst, stall }
    last = now
    onBeat()
  }, interval).unref()
  return {
    take: () => {
      const taken = worst
      worst = { stall: 0, ownStall: 0, blocked: 0 }
      return taken
    },
    stop: () => clearInterval(timer),
  }
}

function look(): { readonly at: number; readonly computed: number; readonly waited: number } {
  const at = performance.now()
  // Nanoseconds on a processor, and waiting for one (Documentation/scheduler/sched-stats.rst).
  const [computed = 0, waited = 0] = schedstat().map((value) => Number(value) / 1e6)
  return { at, computed, waited }
}

function schedstat(): string[] {
  return process.platform === 'linux' ? readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ') : []
}
