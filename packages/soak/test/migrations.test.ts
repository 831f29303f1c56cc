import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { migrationsCampaign } from '../src/migrations/campaign.ts'

describeEngines('migrations', (engine) => {
  // The short form: `pnpm soak` kills after every statement, and in a table of a million records.
  test('that are killed leave one version, whole, and the next start goes on', { timeout: 120_000 }, async () => {
    const options = { engine: engine.name, url: await engine.freshUrl(), rounds: 5, seed: 20_261_130, rows: 25 }
    const evidence = await migrationsCampaign(options)
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(5)
  })
})
