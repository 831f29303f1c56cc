import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { restoreKillsCampaign } from '../src/restores/restore-kills.ts'
import { restoresCampaign } from '../src/restores/restores.ts'

describeEngines('restores', (engine) => {
  const options = async (rounds: number) => ({ engine: engine.name, url: await engine.freshUrl(), rounds, seed: 20_261_123, megabytes: 1 })

  test('under writing processes lose no acknowledged write, and let no reader see an error', { timeout: 120_000 }, async () => {
    const evidence = await restoresCampaign(await options(2))
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(2)
  })

  test('that are killed leave the old database or the new one, whole', { timeout: 120_000 }, async () => {
    const evidence = await restoreKillsCampaign(await options(4))
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(4)
  })
})
