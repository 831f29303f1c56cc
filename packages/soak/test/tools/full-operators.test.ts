import { expect, test } from 'vitest'
import { fullOperatorsCampaign } from '../../src/restores/full-operators.ts'

test('backups, imports and restores on a full disk change nothing, leave nothing, and the server goes on', {
  timeout: 120_000,
}, async () => {
  const evidence = await fullOperatorsCampaign({ rounds: 1, seed: 20_261_123 })
  expect(evidence.faults).toEqual([])
  expect(evidence.roundsDone).toBe(1)
})
