import { expect, test } from 'vitest'
import { movesCampaign } from '../src/moves/campaign.ts'

// The short form: `pnpm soak` moves two million rows, and holds their processes to 200 MB.
test('a move that is killed goes on, there, back and there again are the same, and each log proves itself', {
  timeout: 120_000,
}, async () => {
  const evidence = await movesCampaign({ rounds: 26_000, seed: 20_261_130, megabytes: Number.POSITIVE_INFINITY })
  expect(evidence.faults).toEqual([])
  expect(evidence.counts['resumed']).toBe(1)
})
