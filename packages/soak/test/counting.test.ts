import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { exactlyOnceCampaign } from '../src/exactly-once.ts'
import { lostUpdatesCampaign } from '../src/lost-updates.ts'

const rounds = 50

describeEngines('16 clients that increment one counter', (engine) => {
  const options = async () => ({ engine: engine.name, url: await engine.freshUrl(), rounds, seed: 20_261_123 })

  test('lose no update with If-Match', { timeout: 120_000 }, async () => {
    const evidence = await lostUpdatesCampaign(await options())
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(rounds)
  })

  test('do each increment exactly once with an Idempotency-Key, while connections are cut', { timeout: 120_000 }, async () => {
    const evidence = await exactlyOnceCampaign(await options())
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(rounds)
  })
})
