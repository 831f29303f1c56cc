import { expect, test } from 'vitest'
import { killCampaign } from '../src/kills.ts'

test('every acknowledged write survives kill -9 in the middle of 64 writers, with exactly its audit entries', {
  timeout: 120_000,
}, async () => {
  const evidence = await killCampaign({ rounds: 3, seed: 20_261_123 })
  expect(evidence.faults).toEqual([])
  expect(evidence.roundsDone).toBe(3)
})
