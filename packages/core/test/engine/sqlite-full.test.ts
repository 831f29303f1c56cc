import { describe, expect } from 'vitest'
import type { Connection, Engine } from '../../src/engine/engine.ts'
import { ConstraintViolation } from '../../src/engine/engine.ts'
import { note, sql, stored, test, turns, unit, withNotes } from './sqlite-support.ts'

const big = 'x'.repeat(3_000)
const insert = (connection: Connection, text: string) => connection.run(sql('INSERT INTO notes (text) VALUES (?)', text))

/** Writes until the database is full, and answers what was acknowledged. */
async function fill(engine: Engine): Promise<string[]> {
  const acknowledged: string[] = []
  for (let round = 0; ; round += 1) {
    const texts = Array.from({ length: 16 }, (_, index) => `${round}.${index} ${big}`)
    const outcomes = await Promise.allSettled(texts.map((text) => engine.write(note(text))))
    outcomes.forEach((outcome, index) => {
      if (outcome.status === 'fulfilled') acknowledged.push(texts[index] ?? '')
      else expect(outcome.reason).toMatchObject({ code: 'storage_full', status: 507 })
    })
    if (outcomes.some(({ status }) => status === 'rejected')) return acknowledged
  }
}

describe('a full disk', () => {
  test('fails exactly the units that are not stored, and the lane recovers when there is room', async ({ open, file }) => {
    const engine = await withNotes(await open({ maxPageCount: 60 }))
    const acknowledged = await fill(engine)
    expect(acknowledged.length).toBeGreaterThan(10)
    expect(new Set(stored(file))).toEqual(new Set(acknowledged))
    expect(await engine.read((connection) => connection.all(sql('SELECT count(*) AS count FROM notes')))).toEqual([
      { count: acknowledged.length },
    ])
    await engine.write(unit((connection) => connection.run(sql('DELETE FROM notes'))))
    await engine.write(note(`room ${big}`))
    expect(stored(file)).toEqual([`room ${big}`])
  })

  test('takes the transaction with it: small units before and after the culprit are stored, and told so', async ({ open, file }) => {
    const engine = await withNotes(await open({ maxPageCount: 60 }))
    await fill(engine)
    await engine.write(unit((connection) => connection.run(sql('DELETE FROM notes'))))
    const culprit = unit((connection) => {
      void insert(connection, 'culprit')
      for (let index = 0; ; index += 1) void insert(connection, `${index} ${big}`)
    })
    const quiet = unit((connection) => {
      try {
        void culprit.run(connection)
      } catch {
        // A hook that swallows everything.
      }
      for (const attempt of [() => insert(connection, 'loose'), () => connection.savepoint('s')]) {
        expect(attempt).toThrow(expect.objectContaining({ code: 'storage_full' }))
      }
    })
    const waits = unit(async (connection) => {
      await turns(1)
      void culprit.run(connection)
    })
    for (const failing of [culprit, quiet, waits]) {
      const outcomes = await Promise.allSettled([
        engine.write(note('a')),
        engine.write(note('a')),
        engine.write(note('b')),
        engine.write(failing),
        engine.write(note('c')),
      ])
      expect(outcomes).toMatchObject([
        { value: 'a' },
        { reason: { kind: 'unique' } },
        { value: 'b' },
        { reason: { code: 'storage_full' } },
        { value: 'c' },
      ])
      expect(outcomes[1]).toMatchObject({ reason: expect.any(ConstraintViolation) })
      expect(stored(file)).toEqual(['a', 'b', 'c'])
      await engine.write(unit((connection) => connection.run(sql('DELETE FROM notes'))))
    }
  })
})
