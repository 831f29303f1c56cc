import { afterAll, describe } from 'vitest'
import { type Capability, type EngineName, engineHas, engineNames, engineTitle, needsTitle } from './capabilities.ts'
import { type FreshDatabase, freshPostgres, freshSqlite } from './fresh-database.ts'

/** The engine that a suite's body is running on. */
export interface TestEngine {
  /** For titles and for the few lines that talk to the database by other means; decisions go by `has`. */
  readonly name: EngineName
  has(capability: Capability): boolean
  /** The URL of an empty database that nobody else uses; it is removed after the suite. */
  freshUrl(): Promise<string>
}

const makers: Record<EngineName, () => Promise<FreshDatabase>> = { sqlite: freshSqlite, postgres: freshPostgres }

/**
 * Runs the same suite once for each engine; the suites are called `name [sqlite]` and `name [postgres]`.
 * The run fails when their tests differ, unless `needs` names the capability that explains it.
 *
 * @example
 * describeEngines('insert', (engine) => {
 *   test('gives the row back', async () => {
 *     const storage = await openStorage({ url: await engine.freshUrl(), accessors: [users] })
 *     …
 *   })
 *   needs(engine, 'sharedCommits', () => test('shares the commit with its neighbours', …))
 * })
 */
export function describeEngines(name: string, body: (engine: TestEngine) => void): void {
  for (const engine of engineNames) describe(engineTitle(name, engine), () => body(testEngine(engine)))
}

/** Tests that only run on engines with a capability of the table in capabilities.ts. */
export function needs(engine: TestEngine, capability: Capability, tests: () => void): void {
  if (engine.has(capability)) describe(needsTitle(capability), tests)
}

function testEngine(name: EngineName): TestEngine {
  const made: FreshDatabase[] = []
  afterAll(async () => {
    for (const database of made.splice(0).reverse()) await database.remove()
  })
  return {
    name,
    has: (capability) => engineHas(name, capability),
    freshUrl: async () => {
      const database = await makers[name]()
      made.push(database)
      return database.url
    },
  }
}
