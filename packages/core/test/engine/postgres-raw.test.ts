import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Connection, Engine } from '../../src/engine/engine.ts'
import { leadingWords } from '../../src/engine/postgres/raw-guard.ts'
import { codeOf, insertItem, makeItems, openFresh, sql, storedItems, unit } from './postgres-support.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openFresh({ poolSize: 2 })
  await makeItems(engine)
  await engine.define(async (connection) => {
    await connection.run(
      sql(`CREATE FUNCTION sneak() RETURNS text LANGUAGE sql AS $$ INSERT INTO items (name) VALUES ('sneaked') RETURNING name $$`),
    )
  })
})

beforeEach(async () => {
  await engine.write(unit((connection) => connection.run(sql('TRUNCATE items'))))
})

const writes = [
  `INSERT INTO items (name) VALUES ('x')`,
  `UPDATE items SET amount = 1`,
  `DELETE FROM items`,
  `WITH made AS (INSERT INTO items (name) VALUES ('x') RETURNING id) SELECT * FROM made`,
  `SELECT * INTO copied FROM items`,
  `SELECT sneak()`,
  `SELECT name FROM items FOR UPDATE`,
  `SELECT nextval('items_id_seq')`,
  `EXPLAIN ANALYZE INSERT INTO items (name) VALUES ('x')`,
  `TRUNCATE items`,
  `DROP TABLE items`,
  `DO $$ BEGIN INSERT INTO items (name) VALUES ('x'); END $$`,
  `COPY items TO PROGRAM 'true'`,
  `(((INSERT INTO items (name) VALUES ('x'))))`,
  ``,
]

const control = [
  'COMMIT',
  'commit;',
  ';COMMIT',
  '-- read only\nCOMMIT',
  '/* outer /* inner */ still outer */ ROLLBACK',
  'BEGIN',
  'START TRANSACTION READ WRITE',
  'END',
  'ABORT',
  'SAVEPOINT a',
  'RELEASE SAVEPOINT a',
  'ROLLBACK TO SAVEPOINT a',
  `PREPARE TRANSACTION 'x'`,
  'PREPARE x AS SELECT 1',
  'DEALLOCATE ALL',
  'DISCARD ALL',
  'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE',
  'SET TRANSACTION READ WRITE',
  'SET transaction_read_only = off',
  'RESET ALL',
  'LISTEN news',
]

/** Both places where somebody else's SQL can be run. */
const places: [string, <T>(work: (connection: Connection) => Promise<T>) => Promise<T>][] = [
  ['outside any unit', async (work) => await engine.read(work)],
  ['in a unit', (work) => engine.write(unit(work))],
]

describe.each(places)('SQL that somebody else wrote, %s', (_place, within) => {
  test('is answered when it reads', async () => {
    const rows = async (text: string, ...parameters: unknown[]) =>
      (await within((connection) => Promise.resolve(connection.raw(sql(text, ...parameters), { write: false })))).rows
    expect(await rows('SELECT $1::int + 1 AS sum', 1)).toEqual([{ sum: 2 }])
    expect(await rows(' /* why */ (VALUES (1))')).toEqual([{ column1: 1 }])
    expect(await rows('TABLE items')).toEqual([])
    expect(await rows('SELECT $1::timestamptz AS at', new Date('0099-01-02T03:04:05.006Z'))).toEqual([{ at: '0099-01-02T03:04:05.006Z' }])
    expect(await rows('SELECT 2 = ANY($1::int[]) AS found', [1, 2])).toEqual([{ found: true }])
  })

  test.each([...writes, ...control])('is refused before it changes anything: %s', async (text) => {
    const refused = within((connection) => Promise.resolve(connection.raw(sql(text), { write: false })))
    expect(await codeOf(refused)).toBe('unaudited_write')
    expect(await storedItems(engine)).toEqual([])
  })

  test('is refused when there are several statements in it', async () => {
    const refused = within((connection) =>
      Promise.resolve(connection.raw(sql(`SELECT 1; INSERT INTO items (name) VALUES ('x')`), { write: false })),
    )
    expect(await codeOf(refused)).toBe('internal_error')
    expect(await storedItems(engine)).toEqual([])
  })

  test.each([
    `SELECT set_config('transaction_read_only', 'off', true), sneak()`,
    `SELECT set_config('transaction_read_only', 'off', false), sneak()`,
    `SELECT set_config('default_transaction_read_only', 'off', false), sneak()`,
  ])('does not get out of the read-only transaction: %s', async (text) => {
    const refused = within((connection) => Promise.resolve(connection.raw(sql(text), { write: false })))
    expect(await codeOf(refused)).not.toBe('no error')
    expect(await storedItems(engine)).toEqual([])
  })

  test('leaves no setting behind', async () => {
    const zone = `SELECT current_setting('TimeZone') AS zone`
    await within(async (connection) => {
      await connection.raw(sql(`SELECT set_config('TimeZone', 'Asia/Tokyo', false)`), { write: false })
      expect((await connection.raw(sql(zone), { write: false })).rows).toEqual([{ zone: 'UTC' }])
    })
    const zones = await Promise.all([1, 2, 3].map(() => engine.read((connection) => connection.all(sql(zone)))))
    expect(new Set(zones.flat().map((row) => row['zone']))).toEqual(new Set(['UTC']))
  })
})

describe('a unit around read-only SQL', () => {
  test('goes on writing, before and after it', async () => {
    await engine.write(
      unit(async (connection) => {
        await insertItem(connection, 'before')
        const { rows } = await connection.raw(sql('SELECT name FROM items'), { write: false })
        expect(rows).toEqual([{ name: 'before' }])
        await insertItem(connection, 'after')
      }),
    )
    expect(await storedItems(engine)).toEqual(['after=0', 'before=0'])
  })

  test('survives its refusal and its errors', async () => {
    await engine.write(
      unit(async (connection) => {
        expect(await codeOf(Promise.resolve(connection.raw(sql('SELECT sneak()'), { write: false })))).toBe('unaudited_write')
        expect(await codeOf(Promise.resolve(connection.raw(sql('SELECT 1 / 0'), { write: false })))).toBe('internal_error')
        await insertItem(connection, 'after')
      }),
    )
    expect(await storedItems(engine)).toEqual(['after=0'])
  })

  test('may run it at the same time as its own statements', async () => {
    await engine.write(
      unit(async (connection) => {
        await connection.savepoint('outer')
        await Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            await Promise.all([insertItem(connection, `${index}`), connection.raw(sql('SELECT count(*) FROM items'), { write: false })])
          }),
        )
        await connection.release('outer')
      }),
    )
    expect(await storedItems(engine)).toHaveLength(20)
  })
})

describe('SQL that may write', () => {
  test('writes in its unit and tells how much', async () => {
    await engine.write(
      unit(async (connection) => {
        const { rows, changed } = await connection.raw(sql(`INSERT INTO items (name) VALUES ('a'), ('b') RETURNING name`), { write: true })
        expect({ rows, changed }).toEqual({ rows: [{ name: 'a' }, { name: 'b' }], changed: 2 })
        await connection.raw(sql(`SET LOCAL statement_timeout = '10s'`), { write: true })
      }),
    )
    expect(await storedItems(engine)).toEqual(['a=0', 'b=0'])
  })

  test('is refused outside any unit', async () => {
    const outside = engine.read(async (connection) => connection.raw(sql(`INSERT INTO items (name) VALUES ('a')`), { write: true }))
    expect(await codeOf(outside)).toBe('unaudited_write')
  })

  test.each(control)('does not end or leave its unit: %s', async (text) => {
    const refused = engine.write(
      unit(async (connection) => {
        await insertItem(connection, 'a')
        await connection.raw(sql(text), { write: true })
      }),
    )
    expect(await codeOf(refused)).toBe('unaudited_write')
    expect(await storedItems(engine)).toEqual([])
  })
})

test.each([
  ['SELECT 1', ['select']],
  ['select/**/distinct x', ['select', 'distinct']],
  ['-- a\r\n--b\n/*/* c */*/ ; ((Set\tLocal x', ['set', 'local']],
  ['/* never closed', []],
  ['"commit"', []],
])('the leading words of %j are %j', (text, words) => {
  expect(leadingWords(text)).toEqual(words)
})
