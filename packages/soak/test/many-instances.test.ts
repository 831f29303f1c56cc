import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { manyInstancesCampaign } from '../src/many-instances/campaign.ts'

describeEngines('several servers on one database', (engine) => {
  // The short form: `pnpm soak` lets two work on PostgreSQL and four on SQLite for a minute.
  test('behave as one for 64 clients: nothing is lost, done twice or refused, and the log has all of it', {
    timeout: 120_000,
  }, async () => {
    const url = await engine.freshUrl()
    const evidence = await manyInstancesCampaign({ engine: engine.name, url, rounds: 4, seed: 20_261_130, instances: 2 })
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(4)
  })
})
