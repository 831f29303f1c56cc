import { expect, test } from 'vitest'
import { failoverCampaign } from '../src/failover.ts'

// The short form: `pnpm soak` does it ten times. In a single one it may be that no commit was under way, and nobody noticed anything.
test('a standby takes over from a killed primary under 32 writers: nothing acknowledged is lost, and clients see nothing but 503', {
  timeout: 120_000,
}, async () => {
  const evidence = await failoverCampaign({ rounds: 2, seed: 20_261_130 })
  expect(evidence.faults).toEqual([])
  expect(evidence.roundsDone).toBe(2)
})
