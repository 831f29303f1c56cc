import type { Surroundings } from '../surroundings.ts'
import { inBytes } from './printable.ts'

/** Shows how far something is: on standard error, and only where that is a terminal. */
export interface Progress {
  /** Begins another step, e.g. `Downloading`; `total` in bytes where it is known. */
  step(title: string, total?: number): void
  /** Says that so many bytes more are done. */
  advance(bytes: number): void
  /** Says in words how far the step is. */
  say(words: string): void
  /** Takes the line away. */
  end(): void
}

/** Milliseconds between two looks: people see no more, and terminals over a network are slow. */
const interval = 100
const barWidth = 24
const silent: Progress = { step: () => undefined, advance: () => undefined, say: () => undefined, end: () => undefined }

/** The progress of one command. */
export function progressOn({ stderr }: Surroundings, wanted: boolean): Progress {
  if (!wanted || !stderr.isTTY) return silent
  let title = ''
  let total: number | undefined
  let done = 0
  let words = ''
  let started = Date.now()
  const draw = (): void => {
    const line = [title, words || measure(done, total), `${Math.round((Date.now() - started) / 1000)} s`]
      .filter((part) => part !== '')
      .join('  ')
    stderr.write(`\r\u001b[K${line.slice(0, Math.max(20, (stderr.columns || 80) - 1))}`)
  }
  let timer: NodeJS.Timeout | undefined
  return {
    step(name, bytes) {
      title = name
      total = bytes
      done = 0
      words = ''
      started = Date.now()
      timer ??= setInterval(draw, interval)
      draw()
    },
    advance(bytes) {
      done += bytes
    },
    say(text) {
      words = text
    },
    end() {
      if (timer === undefined) return
      clearInterval(timer)
      timer = undefined
      stderr.write('\r\u001b[K')
    },
  }
}

function measure(done: number, total: number | undefined): string {
  if (total === undefined || total === 0) return done === 0 ? '' : inBytes(done)
  return `${barOf(done, total)}  ${inBytes(done)} of ${inBytes(total)}`
}

/** A bar, and how many of a hundred. */
export function barOf(done: number, total: number): string {
  const part = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(part * barWidth)
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${Math.floor(part * 100)} %`
}
