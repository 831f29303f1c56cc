import { type Capability, type EngineName, engineHas, engineNames, engineOfTitle, neededCapability } from './capabilities.ts'

/** One test as far as parity is concerned. */
export interface EngineTest {
  readonly engine: EngineName
  /** The test's file and titles, without the engine's mark: the same on every engine. */
  readonly name: string
  readonly needs: readonly Capability[]
  readonly skipped: boolean
}

/** Reads a test's titles (outermost first, the test's own last); undefined when it runs on no engine in particular. */
export function engineTest(file: string, titles: readonly string[], skipped: boolean): EngineTest | undefined {
  const mark = titles.map(engineOfTitle)
  const engine = mark.find((found) => found !== undefined)
  if (!engine) return undefined
  const names = titles.map((title, index) => (mark[index] ? title.slice(0, -` [${mark[index]}]`.length) : title))
  const needs = titles.map(neededCapability).filter((capability) => capability !== undefined)
  return { engine, name: [file, ...names].join(' > '), needs, skipped }
}

/** How many tests each engine ran, e.g. `sqlite: 312 tests, postgres: 312 tests`. */
export function parityLine(tests: readonly EngineTest[]): string {
  const count = (engine: EngineName) => tests.filter((test) => test.engine === engine && !test.skipped).length
  return engineNames.map((engine) => `${engine}: ${count(engine)} tests`).join(', ')
}

/** What is wrong with the run, a sentence for each fault: a skipped test, or one that an engine lacks without a named reason. */
export function parityFaults(tests: readonly EngineTest[]): string[] {
  const skipped = tests.filter((test) => test.skipped).map((test) => `skipped on ${test.engine}: ${test.name}`)
  return [...skipped, ...engineNames.flatMap((engine) => missingOn(engine, tests))]
}

function missingOn(engine: EngineName, tests: readonly EngineTest[]): string[] {
  const present = new Map<string, number>()
  for (const test of tests) if (test.engine === engine) present.set(test.name, (present.get(test.name) ?? 0) + 1)
  const missing: string[] = []
  for (const test of tests) {
    if (test.engine === engine || test.needs.some((capability) => !engineHas(engine, capability))) continue
    const left = present.get(test.name) ?? 0
    if (left > 0) present.set(test.name, left - 1)
    else missing.push(`on ${test.engine} only, and no capability says why: ${test.name}`)
  }
  return missing
}
