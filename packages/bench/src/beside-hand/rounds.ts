import { foreignLoad, processorTimes } from '../foreign-load.ts'

/** Processors that others may take while something is measured. */
const mostForeign = 0.25

export interface RoundOptions {
  readonly rounds: number
  /** Measures no more rounds than that where other programs are busy: to look where the time goes, not for evidence. */
  readonly keepAll: boolean
}

export interface Rounds<Found> {
  /** What each side came to, by round: the silent ones where there are at least three, else all. */
  readonly kept: readonly (readonly Found[])[]
  /** Rounds in which other programs took no more than a quarter of a processor. */
  readonly silent: number
  readonly measured: number
}

/** Rounds before the first that counts: the first tells how fast the sides are, the other lets their code be compiled. */
const warmups = 2

/** Rounds that are measured once more, at most, because other programs were busy. */
const mostRepeated = 2

/** Fewer silent rounds than that say less than all of them. */
const fewestSilent = 3

/** Measures sides in turn, A B A B. */
export async function inRounds<Found>(sides: readonly (() => Promise<Found>)[], { rounds, keepAll }: RoundOptions): Promise<Rounds<Found>> {
  const all: Found[][] = []
  const silent: Found[][] = []
  for (let warm = 0; warm < warmups; warm++) for (const side of sides) await side()
  while (silent.length < rounds && all.length < rounds + (keepAll ? 0 : mostRepeated)) {
    const before = processorTimes()
    const started = performance.now()
    const found: Found[] = []
    for (const side of sides) found.push(await side())
    const foreign = foreignLoad(before, processorTimes(), (performance.now() - started) / 1_000) ?? 0
    all.push(found)
    if (foreign <= mostForeign) silent.push(found)
  }
  return { kept: silent.length >= fewestSilent ? silent : all, silent: silent.length, measured: all.length }
}
