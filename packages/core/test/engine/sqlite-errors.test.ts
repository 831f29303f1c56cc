import { describe, expect } from 'vitest'
import { ConstraintViolation, type Engine } from '../../src/engine/engine.ts'
import { mapError } from '../../src/engine/sqlite/errors.ts'
import { StrongroomError } from '../../src/errors.ts'
import { errorOf, sql, test, unit } from './sqlite-support.ts'

async function withConstraints(engine: Engine): Promise<Engine> {
  await engine.define(async (connection) => {
    await connection.run(sql('CREATE TABLE parents (id TEXT NOT NULL PRIMARY KEY) STRICT'))
    await connection.run(
      sql(`CREATE TABLE children (
        id INTEGER PRIMARY KEY, email TEXT UNIQUE, a INTEGER NOT NULL DEFAULT 0, b INTEGER CHECK (b IN (0, 1)),
        parent TEXT REFERENCES parents (id), keeper TEXT REFERENCES parents (id) ON DELETE RESTRICT, UNIQUE (a, b)) STRICT`),
    )
    await connection.run(sql('CREATE UNIQUE INDEX folded ON children (lower(email))'))
    await connection.run(sql(`CREATE TRIGGER never BEFORE DELETE ON children BEGIN SELECT RAISE(ABORT, 'append only'); END`))
    await connection.run(sql(`INSERT INTO parents VALUES ('p')`))
    await connection.run(sql(`INSERT INTO children VALUES (1, 'secret@example.com', 1, 1, 'p', 'p')`))
  })
  return engine
}

describe('a broken constraint is named as far as SQLite tells', () => {
  test.for([
    [`INSERT INTO children (id, a) VALUES (1, 9)`, { kind: 'unique', table: 'children', columns: ['id'] }],
    [`INSERT INTO parents VALUES ('p')`, { kind: 'unique', table: 'parents', columns: ['id'] }],
    [`INSERT INTO children (a, b) VALUES (1, 1)`, { kind: 'unique', table: 'children', columns: ['a', 'b'] }],
    [
      `INSERT INTO children (email, a) VALUES ('SECRET@example.com', 9)`,
      { kind: 'unique', table: undefined, columns: [], constraint: 'folded' },
    ],
    [`INSERT INTO children (parent, a) VALUES ('nobody', 9)`, { kind: 'reference', columns: [] }],
    [`DELETE FROM parents`, { kind: 'reference', columns: [] }],
    [`INSERT INTO children (a) VALUES (NULL)`, { kind: 'notNull', table: 'children', columns: ['a'] }],
    [`INSERT INTO children (b) VALUES (5)`, { kind: 'check', constraint: 'b IN (0, 1)' }],
    [`INSERT INTO children (a) VALUES ('secret')`, { kind: 'check', table: 'children', columns: ['a'] }],
    [`INSERT INTO children (id) VALUES ('secret')`, { kind: 'check' }],
    [`DELETE FROM children`, { kind: 'check', constraint: 'append only' }],
  ] as const)('%s', async ([statement, expected], { open }) => {
    const engine = await withConstraints(await open())
    const error = await errorOf(engine.write(unit((connection) => connection.run(sql(statement)))))
    expect(error).toBeInstanceOf(ConstraintViolation)
    expect(error).toMatchObject(expected)
    expect(String(error)).not.toContain('secret')
  })
})

describe('any other failure is a StrongroomError without SQL, path or value', () => {
  test.for([
    ['SQLITE_BUSY', 'storage_busy'],
    ['SQLITE_BUSY_SNAPSHOT', 'storage_busy'],
    ['SQLITE_LOCKED', 'storage_busy'],
    ['SQLITE_FULL', 'storage_full'],
    ['SQLITE_IOERR_WRITE', 'storage_unavailable'],
    ['SQLITE_READONLY', 'storage_unavailable'],
    ['SQLITE_CANTOPEN', 'storage_unavailable'],
    ['SQLITE_CORRUPT', 'storage_unavailable'],
    ['SQLITE_NOTADB', 'storage_unavailable'],
    ['SQLITE_NOMEM', 'storage_unavailable'],
    ['SQLITE_ERROR', 'internal_error'],
  ] as const)('%s is %s', ([code, expected]) => {
    const cause = Object.assign(new Error('near "/home/someone/app.db": INSERT INTO users'), { code })
    const error = mapError(cause)
    expect(error).toMatchObject({ code: expected, cause })
    expect(error.message).not.toMatch(/INSERT|app\.db/)
  })

  test('an error of this library stays as it is', () => {
    const error = new StrongroomError('not_found', 'There is none.')
    expect(mapError(error)).toBe(error)
  })

  test('a statement that SQLite does not understand, or a value that it cannot hold', async ({ open }) => {
    const engine = await open()
    for (const statement of [sql('SELEKT 1'), sql('SELECT ?', Symbol('x')), sql('SELECT ?')]) {
      const error = await errorOf((async () => engine.read((connection) => connection.all(statement)))())
      expect(error).toMatchObject({ code: 'internal_error', cause: expect.any(Error) })
      expect(String(error)).not.toContain('SELE')
    }
  })
})
