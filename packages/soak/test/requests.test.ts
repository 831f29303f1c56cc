import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { requestsCampaign } from '../src/requests/campaign.ts'

// The short form: restores and their like are the slow part, and are asked as seldom as can be.
const rounds = 700
const [atLeast, atMost] = [1, 5_000]

describeEngines('random good and broken requests, made from the OpenAPI document', (engine) => {
  test('are answered as the document says, on every operation with 2xx and 4xx, and never with 5xx', { timeout: 120_000 }, async () => {
    const evidence = await requestsCampaign({
      engine: engine.name,
      url: await engine.freshUrl(),
      rounds,
      atLeast,
      atMost,
      seed: 20_261_123,
    })
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBeGreaterThanOrEqual(rounds)
  })
})
