import { Bytes, defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Snapshot, StoredRow } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { openSnapshot } from '../../src/engine/open-snapshot.ts'

const settings = { sqlite: {}, postgres: {} }
const Letter = defineModel('letters', { text: Type.String(), scan: Bytes() })

/** Bytes: small ones first, as in a table whose first rows say nothing about the later ones. */
const sizes = [...Array.from({ length: 1_500 }, () => 10), ...Array.from({ length: 60 }, () => 80_000), 3_000_000, 10, 10]

describeEngines('a snapshot', (engine) => {
  let snapshot: Snapshot

  beforeAll(async () => {
    const url = await engine.freshUrl()
    const letters = new ModelAccessor(Letter, 'letters')
    const storage = await openStorage({ url, accessors: [letters], transactionTimeLimit: 60_000 })
    await letters.insertMany(sizes.map((size) => ({ text: 'x'.repeat(size / 2), scan: new Uint8Array(size / 2) })))
    await storage.close()
    const opened = await openEngine(url, settings)
    snapshot = await openSnapshot(opened.place)
    await opened.close()
  })

  afterAll(() => snapshot.close())

  const letters = { sql: 'SELECT id, text, scan FROM letters ORDER BY id', parameters: [] }
  const bytesOf = (rows: readonly StoredRow[]): number =>
    rows.reduce((sum, { text, scan }) => sum + String(text).length + (scan as Uint8Array).byteLength, 0)

  async function batches(mostRows: number): Promise<StoredRow[][]> {
    const found: StoredRow[][] = []
    for await (const rows of snapshot.stream(letters, mostRows)) found.push(rows)
    return found
  }

  test('hands out batches of 256 KiB at most, or of one row', async () => {
    const found = await batches(1_000)
    expect(found.flat().map((row) => bytesOf([row]))).toEqual(sizes)
    for (const rows of found.filter(({ length }) => length > 1)) expect(bytesOf(rows)).toBeLessThanOrEqual(262_144)
    expect(found.length).toBeLessThan(30)
  })

  test('hands out no more rows than wanted, in their order, to whoever takes them slowly', async () => {
    const ids: unknown[] = []
    for await (const rows of snapshot.stream(letters, 7)) {
      expect(rows.length).toBeLessThanOrEqual(7)
      ids.push(...rows.map(({ id }) => Number(id)))
      if (ids.length % 70 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(ids).toEqual(sizes.map((_, index) => index + 1))
  })

  test('has nothing to hand out where there are no rows', async () => {
    const none = { sql: 'SELECT id FROM letters WHERE id < 0', parameters: [] }
    for await (const _ of snapshot.stream(none, 10)) expect.unreachable('a batch of nothing')
  })

  test('hands over row after row, as values in the order of the columns, and waits for whoever takes them', async () => {
    const found: unknown[][] = []
    let taking = false
    await snapshot.eachRow({ ...letters, orderedBy: 'id' }, ([id, text, scan]) => {
      expect(taking).toBe(false)
      found.push([Number(id), String(text).length, (scan as Uint8Array).byteLength])
      if (found.length % 50 !== 0) return undefined
      taking = true
      return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        taking = false
      })
    })
    expect(found).toEqual(sizes.map((size, index) => [index + 1, size / 2, size / 2]))
  })

  test('hands over the rows of a condition, in the order of any column', async () => {
    const parameters = [1_495, 1_505]
    const sql = engine.name === 'sqlite' ? 'id BETWEEN ? AND ?' : 'id BETWEEN $1 AND $2'
    const found: unknown[] = []
    const take = ([name]: readonly unknown[]): undefined => void found.push(name)
    await snapshot.eachRow(
      { sql: `SELECT 'n' || (9999 - id) AS name FROM letters WHERE ${sql} ORDER BY name`, parameters, orderedBy: 'name' },
      take,
    )
    expect(found).toEqual(Array.from({ length: 11 }, (_, index) => `n${8_494 + index}`))
  })

  test('tells what whoever takes the rows throws, and can be closed then', async () => {
    const opened = await openEngine(await engine.freshUrl(), settings)
    const refused = await openSnapshot(opened.place)
    await opened.close()
    const one = { sql: 'SELECT 1 AS one ORDER BY one', parameters: [], orderedBy: 'one' }
    await expect(refused.eachRow(one, () => Promise.reject(new Error('no more')))).rejects.toThrow('no more')
    await refused.close()
  })

  test('closes after a stream that was left in the middle', async () => {
    const opened = await openEngine(await engine.freshUrl(), settings)
    const left = await openSnapshot(opened.place)
    await opened.close()
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n'
    for await (const _ of left.stream({ sql: numbers, parameters: [] }, 10)) break
    await left.close()
  })
})
