import { describe, expect } from 'vitest'
import type { Connection } from '../../src/engine/engine.ts'
import { errorOf, note, sql, stored, test, unit, withNotes } from './sqlite-support.ts'

const statements = (connection: Connection): (() => unknown)[] => [
  () => connection.all(sql('SELECT 1')),
  () => connection.run(sql('DELETE FROM notes')),
  () => connection.raw(sql('SELECT 1'), { write: false }),
  () => connection.savepoint('s'),
  () => connection.release('s'),
  () => connection.rollbackTo('s'),
  () => connection.lockTable('notes'),
]

describe('a connection is dead after its unit', () => {
  test('whether the unit was shared, alone, failed or a read', async ({ open }) => {
    const engine = await withNotes(await open())
    const kept: Connection[] = []
    const keep = (connection: Connection): void => {
      kept.push(connection)
    }
    await Promise.all([engine.write(unit(keep)), engine.write(unit(keep)), engine.write(unit(keep, { alone: true }))])
    await errorOf(
      engine.write(
        unit((connection) => {
          keep(connection)
          throw new Error('no')
        }),
      ),
    )
    await engine.write(unit(async (connection) => keep(connection)))
    await engine.read(keep)
    await engine.read(async (connection) => keep(connection))
    await engine.define(async (connection) => keep(connection))
    expect(kept).toHaveLength(8)
    for (const connection of kept) {
      for (const statement of statements(connection)) expect(statement).toThrow(expect.objectContaining({ code: 'session_finished' }))
    }
  })
})

describe('raw statements', () => {
  const refused = expect.objectContaining({ code: 'unaudited_write' })

  test.for([
    `INSERT INTO notes (text) VALUES ('x')`,
    'DELETE FROM notes',
    `UPDATE notes SET text = 'x'`,
    `REPLACE INTO notes (text) VALUES ('x')`,
    `WITH a AS (SELECT 1) INSERT INTO notes (text) SELECT 'x'`,
    `/* SELECT */ -- SELECT\n ; DELETE FROM notes`,
    `INSERT INTO notes (text) VALUES ('x') RETURNING id`,
    'CREATE TABLE t (a)',
    'DROP TABLE notes',
    'REINDEX',
    'ANALYZE',
  ])('are refused when they write: %s', async (text, { open, file }) => {
    const engine = await withNotes(await open())
    await engine.write(note('kept'))
    await engine.write(
      unit((connection) => {
        expect(() => connection.raw(sql(text), { write: false })).toThrow(refused)
      }),
    )
    expect(() => engine.read((connection) => connection.raw(sql(text), { write: false }))).toThrow(refused)
    expect(() => engine.read((connection) => connection.raw(sql(text), { write: true }))).toThrow()
    expect(stored(file)).toEqual(['kept'])
  })

  test.for([
    'BEGIN',
    'COMMIT',
    'end',
    'ROLLBACK',
    'SAVEPOINT x',
    'RELEASE strongroom_unit',
    '/* x */ COMMIT',
    '\uFEFFCOMMIT',
    'VACUUM',
    "ATTACH ':memory:' AS other",
    'DETACH main',
    'PRAGMA foreign_keys = OFF',
    'PRAGMA foreign_keys(0)',
    'PRAGMA/**/defer_foreign_keys=1',
    'PRAGMA query_only = 1',
    'PRAGMA optimize',
    'PRAGMA wal_checkpoint',
    'PRAGMA user_version = 7',
    'PRAGMA journal_mode(DELETE)',
    '',
    '-- nothing',
  ])('never control the transaction or the connection, write or not: %j', async (text, { open, file }) => {
    const engine = await withNotes(await open())
    await engine.write(
      unit((connection) => {
        void connection.run(sql(`INSERT INTO notes (text) VALUES ('kept')`))
        for (const write of [false, true]) expect(() => connection.raw(sql(text), { write })).toThrow(refused)
      }),
    )
    await engine.write(note('written afterwards'))
    expect(() => engine.read((connection) => connection.raw(sql(text), { write: true }))).toThrow(refused)
    expect(stored(file)).toEqual(['kept', 'written afterwards'])
    expect(await engine.write(unit((connection) => connection.all(sql('PRAGMA foreign_keys'))))).toEqual([{ foreign_keys: 1 }])
  })

  test.for([
    'SELECT 1 AS a',
    'VALUES (1)',
    'WITH a AS (SELECT 1) SELECT * FROM a',
    'EXPLAIN SELECT 1',
    'PRAGMA table_info(notes)',
    'PRAGMA user_version;',
  ])('may read: %s', async (text, { open }) => {
    const engine = await withNotes(await open())
    const { rows, changed } = await engine.read((connection) => connection.raw(sql(text), { write: false }))
    expect(rows.length).toBeGreaterThan(0)
    expect(changed).toBe(0)
  })

  test('may write when that is said, and tell how many rows they changed', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const answers = await engine.write(
      unit((connection) => [
        connection.raw(sql(`INSERT INTO notes (text) VALUES ('a'), ('b')`), { write: true }),
        connection.raw(sql(`UPDATE notes SET text = text || '!' RETURNING text`), { write: true }),
        connection.raw(sql('SELECT count(*) AS count FROM notes'), { write: true }),
      ]),
    )
    expect(answers).toEqual([
      { rows: [], changed: 2 },
      { rows: [{ text: 'a!' }, { text: 'b!' }], changed: 2 },
      { rows: [{ count: 2 }], changed: 0 },
    ])
    expect(stored(file)).toEqual(['a!', 'b!'])
    await engine.write(unit((connection) => connection.raw(sql('CREATE TABLE more (a TEXT) STRICT'), { write: true })))
    expect(stored(file, 'SELECT count(*) FROM more')).toEqual([0])
  })
})

describe('savepoints', () => {
  test('keep or undo a part of a unit, and nest', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const insert = (connection: Connection, text: string) => connection.run(sql('INSERT INTO notes (text) VALUES (?)', text))
    const nested = unit((connection) => {
      void insert(connection, 'outer')
      void connection.savepoint('one')
      void insert(connection, 'kept')
      void connection.savepoint('two')
      void insert(connection, 'undone')
      void connection.rollbackTo('two')
      void connection.release('one')
    })
    await Promise.all([engine.write(note('before')), engine.write(nested), engine.write(note('after'))])
    expect(stored(file)).toEqual(['before', 'outer', 'kept', 'after'])
  })

  test('are of units only', async ({ open }) => {
    const engine = await open()
    expect(() => engine.read((connection) => connection.savepoint('s'))).toThrow(expect.objectContaining({ code: 'outer_handle' }))
  })
})

describe('many different statements', () => {
  test('are prepared and forgotten, and still answer', async ({ open }) => {
    const engine = await open()
    for (const round of [1, 2]) {
      for (let number = 0; number < 1_200; number += 1) {
        const rows = await engine.read((connection) => connection.all(sql(`SELECT ${number} AS number, ? AS round`, round)))
        expect(rows).toEqual([{ number, round }])
      }
    }
  })
})

describe('reads outside units', () => {
  test('see committed data only, while a unit waits, and are not held up by it', async ({ open }) => {
    const engine = await withNotes(await open())
    const texts = () => engine.read((connection) => connection.all(sql('SELECT text FROM notes')))
    await engine.write(
      unit(async (connection) => {
        void connection.run(sql(`INSERT INTO notes (text) VALUES ('soon')`))
        await Promise.resolve()
        expect(connection.all(sql('SELECT text FROM notes'))).toEqual([{ text: 'soon' }])
        expect(texts()).toEqual([])
      }),
    )
    expect(texts()).toEqual([{ text: 'soon' }])
  })

  test('cannot write, whatever they try', async ({ open, file }) => {
    const engine = await withNotes(await open())
    expect(() => engine.read((connection) => connection.run(sql(`INSERT INTO notes (text) VALUES ('x')`)))).toThrow(
      expect.objectContaining({ code: 'storage_unavailable' }),
    )
    expect(stored(file)).toEqual([])
  })
})
