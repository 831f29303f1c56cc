import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { shippersCampaign } from '../src/shippers/campaign.ts'

describeEngines('8 shippers that are killed while their server is, too', (engine) => {
  test('have each log that they took stored exactly once, under its tenant', { timeout: 120_000 }, async () => {
    const rounds = 400
    const evidence = await shippersCampaign({
      engine: engine.name,
      url: await engine.freshUrl(),
      rounds,
      seed: 20_261_130,
      spread: 2_000,
      measured: false,
    })
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(rounds)
    expect(evidence.counts).toMatchObject({ serverKills: 5 })
  })
})
