import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { restoreKillsCampaign } from '../src/restores/restore-kills.ts'
import { restoresCampaign } from '../src/restores/restores.ts'

describeEngines('restores', (engine) => {
  // The short form: what takes time is starting servers. `pnpm soak` restores more, larger and under more of them.
  const small = { seed: 20_261_123, megabytes: 0.2, otherProcesses: 1 }
  const options = async (rounds: number) => ({ engine: engine.name, url: await engine.freshUrl(), rounds, ...small })

  test('under writing processes lose no acknowledged write, and let no reader see an error', { timeout: 120_000 }, async () => {
    const evidence = await restoresCampaign(await options(1))
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(1)
  })

  test('that are killed leave the old database or the new one, whole', { timeout: 120_000 }, async () => {
    // In the upload, in the middle, and when the new one is there.
    const evidence = await restoreKillsCampaign(await options(3))
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBe(3)
    expect([evidence.counts.old, evidence.counts.new]).not.toContain(0)
  })
})
