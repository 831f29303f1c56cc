import type { Tally } from './tally.ts'
import { unevenFaults } from './verdict.ts'
import { type Prepared, throwWave, together } from './wave.ts'

/** Parts of a run after which it is told how far it is. */
const reportedParts = 20

export interface ThrowOptions {
  readonly rounds: number
  readonly seed: number
  /** How often each operation has to be answered with 2xx, and how often with 4xx. */
  readonly atLeast: number
  /** Requests up to which the run goes on while an operation lacks answers, so that it does not hang on luck; half as many again as `rounds` if not said. */
  readonly atMost?: number | undefined
  readonly report: (line: string) => void
}

/** What makes the requests of a run, and counts their answers. */
export interface RequestSource {
  readonly tally: Tally
  prepare(): Prepared
}

/** What a run does between its requests. */
export interface Between {
  afterWave?(): Promise<void>
  /** Once for each twentieth of the rounds. */
  afterPart?(): Promise<void>
}

/** Throws the requests of a run; answers how many they were. */
export async function throwAll(source: RequestSource, options: ThrowOptions, between: Between): Promise<number> {
  const { rounds, atLeast, atMost = Math.ceil(rounds * 1.5), report } = options
  let done = 0
  let parts = 0
  for (;;) {
    const end = done < rounds ? rounds : Math.max(done, unevenFaults(source.tally, atLeast).length > 0 ? atMost : 0)
    if (done === end) return done
    done += await throwWave(source, Math.min(together, end - done))
    await between.afterWave?.()
    if (done < ((parts + 1) * rounds) / reportedParts) continue
    parts += 1
    await between.afterPart?.()
    report(`${done} of ${rounds} requests, ${source.tally.faultCount} faults so far`)
  }
}
