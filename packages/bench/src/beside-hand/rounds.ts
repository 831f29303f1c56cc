import { foreignLoad, processorTimes } from '../foreign-load.ts'

/** Processors that others may take while something is measured. */
const mostForeign = 0.25

export interface RoundOptions {
  readonly rounds: number
  /** Keeps rounds in which others took more of the machine, too: to look where the time goes, not for evidence. */
  readonly keepAll: boolean
}

export interface Rounds<Found> {
  /** What each side came to, by round. */
  readonly kept: readonly (readonly Found[])[]
  readonly discarded: number
}

/** Rounds before the first that counts: the first tells how fast the sides are, the others let their code be compiled. */
const warmups = 3

/** Measures sides in turn, A B A B. Rounds in which other programs were busy are done once more. */
export async function inRounds<Found>(sides: readonly (() => Promise<Found>)[], { rounds, keepAll }: RoundOptions): Promise<Rounds<Found>> {
  const kept: Found[][] = []
  let discarded = 0
  for (let round = -warmups; kept.length < rounds && discarded <= rounds; round++) {
    const before = processorTimes()
    const started = performance.now()
    const found: Found[] = []
    for (const side of sides) found.push(await side())
    const foreign = foreignLoad(before, processorTimes(), (performance.now() - started) / 1_000) ?? 0
    if (round < 0) continue
    if (keepAll || foreign <= mostForeign) kept.push(found)
    else discarded += 1
  }
  return { kept, discarded }
}
