import { expect, test } from 'vitest'
import { pageLimitCampaign } from '../src/full-disk.ts'

test('a full database refuses what it cannot store, stores what it acknowledges, and goes on when there is room', {
  timeout: 120_000,
}, async () => {
  const evidence = await pageLimitCampaign({ rounds: 2, seed: 20_261_123 })
  expect(evidence.faults).toEqual([])
  expect(evidence.counts.acknowledgedAfterRoom).toBeGreaterThan(0)
})
