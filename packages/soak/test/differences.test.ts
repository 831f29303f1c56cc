import { freshPostgres, freshSqlite } from '@strongroom/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { differencesCampaign } from '../src/differences/campaign.ts'

// The short form: `pnpm soak differences` asks 50,000 times.
const rounds = 2_500

test('both engines answer the same random requests alike, whatever was written before', { timeout: 120_000 }, async () => {
  const sqlite = await freshSqlite()
  onTestFinished(sqlite.remove)
  const postgres = await freshPostgres()
  onTestFinished(postgres.remove)
  const evidence = await differencesCampaign({ urls: { sqlite: sqlite.url, postgres: postgres.url }, rounds, seed: 20_261_201 })
  expect(evidence.faults).toEqual([])
  expect(evidence.roundsDone).toBe(rounds)
})
