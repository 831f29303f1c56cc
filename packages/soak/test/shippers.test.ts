import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { shippersCampaign } from '../src/shippers/campaign.ts'

describeEngines('shippers that are killed while their server is, too', (engine) => {
  test('have each log that they took stored exactly once, under its tenant', { timeout: 120_000 }, async () => {
    const rounds = 120
    const evidence = await shippersCampaign({
      engine: engine.name,
      url: await engine.freshUrl(),
      rounds,
      seed: 20_261_130,
      // each start of a program is a second of a processor; the campaign has 8 and kills the server 5 times
      shippers: 3,
      serverKills: 2,
      spread: 1_500,
      measured: false,
    })
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(rounds)
    expect(evidence.counts['shipperKills']).toBeGreaterThan(0)
    expect(evidence.counts).toMatchObject({ serverKills: 2 })
  })
})
