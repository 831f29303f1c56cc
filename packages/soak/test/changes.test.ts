import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { changesCampaign, readerFaults } from '../src/changes/campaign.ts'

describeEngines('8 readers of the feed that are killed while 32 clients write', (engine) => {
  test('are told every change exactly once, in order, and of a restore once', { timeout: 120_000 }, async () => {
    const rounds = 300
    const evidence = await changesCampaign({ engine: engine.name, url: await engine.freshUrl(), rounds, seed: 20_261_130 })
    expect(evidence.faults).toEqual([])
    expect(evidence.roundsDone).toBeGreaterThanOrEqual(rounds)
    expect(evidence.counts['resets']).toBe(8)
    expect(evidence.counts['kills']).toBeGreaterThan(0)
  })
})

test('a reader that misses something, is told something twice or in another order is found', () => {
  const log = [1, 2, 5, 6].map((position) => ({ position, id: position * 10 }))
  const change = (epoch: number, position: number) => ({ what: 'change', epoch, position, entry: position * 10 })
  const reset = { what: 'reset', epoch: 2, position: 4, entry: 0 }
  const [one, two, three, four] = [1, 2, 3, 4].map((position) => change(1, position))
  const [five, six] = [5, 6].map((position) => change(2, position))
  const whole = [one, two, three, four, reset, five, six].filter((line) => line !== undefined)
  expect(readerFaults(whole, log)).toEqual([])
  expect(
    readerFaults(
      [one, reset, change(2, 2), five, six].filter((line) => line !== undefined),
      log,
    ),
  ).toEqual([])
  for (const index of whole.keys()) {
    const without = whole.filter((_line, at) => at !== index)
    // Whoever had not come to the last one before the restore is told nothing of it.
    if (index !== 3) expect(readerFaults(without, log), `without ${index}`).not.toEqual([])
    expect(readerFaults(whole.toSpliced(index, 0, whole[index] as (typeof whole)[number]), log), `twice ${index}`).not.toEqual([])
  }
  expect(readerFaults(whole.with(5, six as never).with(6, five as never), log)).not.toEqual([])
})
