import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { accessRequestsCampaign } from '../src/access-requests/campaign.ts'

// The short form; the long one is run by hand, and asks each operation 50 times each way.
const rounds = 700
const [atLeast, atMost] = [1, 5_000]

describeEngines('random requests of callers of all kinds', (engine) => {
  test('let nobody see or do what is not theirs, and are never answered with 5xx', { timeout: 120_000 }, async () => {
    const evidence = await accessRequestsCampaign({
      engine: engine.name,
      url: await engine.freshUrl(),
      rounds,
      atLeast,
      atMost,
      seed: 20_261_201,
    })
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBeGreaterThanOrEqual(rounds)
    expect(evidence.counts['strangersRefused']).toBeGreaterThan(0)
    expect(evidence.counts['reachedForAnotherTenant']).toBeGreaterThan(0)
  })
})
