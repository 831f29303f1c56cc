import { readFileSync, statSync } from 'node:fs'
import { describe, expect } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { ConstraintViolation } from '../../src/engine/engine.ts'
import { errorOf, field, sql, stored, test, unit } from './sqlite-support.ts'

describe('column definitions', () => {
  test.for([
    [field('text'), 'TEXT NOT NULL'],
    [field('text', { nullable: true }), 'TEXT'],
    [field('boolean', { name: 'active' }), 'INTEGER NOT NULL CHECK ("active" IN (0, 1))'],
    [field('text', { name: 'role', values: ["o'clock", 'admin'] }), `TEXT NOT NULL CHECK ("role" IN ('o''clock', 'admin'))`],
    [field('integer', { name: 'level', values: [1, 2], nullable: true }), 'INTEGER CHECK ("level" IN (1, 2))'],
    [field('text', { name: 'role', values: ['a', 'b', "c'"] }), `TEXT NOT NULL CHECK ("role" = 'a' OR "role" = 'b' OR "role" = 'c''')`],
    [field('integer', { name: 'level', values: [-1, 2, 3] }), 'INTEGER NOT NULL CHECK ("level" = -1 OR "level" = 2 OR "level" = 3)'],
    [field('decimal'), 'INT NOT NULL'],
    [field('int64'), 'INT NOT NULL'],
    [field('bytes'), 'BLOB NOT NULL'],
    [field('number'), 'REAL NOT NULL'],
  ] as const)('%#: $1', async ([about, definition], { open }) => {
    expect((await open()).columnDefinition(about)).toBe(definition)
  })

  test('of few and many values, as they are written now and were before, allow the same', async ({ open }) => {
    const engine = await open()
    const many = Array.from({ length: 1_200 }, (_, index) => `OR ${index}`)
    const now = engine.columnDefinition(field('text', { name: 'role', values: ["it's", 'x OR y', 'z'] }))
    const before = `TEXT NOT NULL CHECK ("role" IN ('it''s', 'x OR y', 'z'))`
    const columns = [now, before, engine.columnDefinition(field('text', { name: 'role', values: many }))]
    await engine.define(async (connection) => {
      for (const [index, column] of columns.entries()) await connection.run(sql(engine.createTableSql(`t${index}`, [`"role" ${column}`])))
    })
    const shapes = await engine.read((connection) => engine.inspect(connection))
    expect(shapes.map(({ columns: [role] }) => role?.allowed)).toEqual([["it's", 'x OR y', 'z'], ["it's", 'x OR y', 'z'], many])
  })

  test('ids are counted by the database, or given', async ({ open }) => {
    const engine = await open()
    expect(engine.idDefinition(field('integer', { role: 'id' }), { countedId: true })).toBe('INTEGER PRIMARY KEY AUTOINCREMENT')
    expect(engine.idDefinition(field('uuid', { role: 'id' }), { countedId: false })).toBe('TEXT NOT NULL PRIMARY KEY')
  })
})

async function withTables(engine: Engine): Promise<Engine> {
  await engine.define(async (connection) => {
    const owners = ['"id" TEXT NOT NULL PRIMARY KEY', '"name" TEXT NOT NULL UNIQUE']
    const things = [
      '"id" INTEGER PRIMARY KEY AUTOINCREMENT',
      '"name" TEXT NOT NULL',
      '"price" INT',
      '"owner" TEXT REFERENCES "owners"',
      '"deleted_at" TEXT',
    ]
    await connection.run(sql(engine.createTableSql('owners', owners)))
    await connection.run(sql(engine.createTableSql('things', things)))
    await connection.run(sql('CREATE UNIQUE INDEX "things_name_key" ON "things" ("name", "price") WHERE "deleted_at" IS NULL'))
    await connection.run(sql('CREATE INDEX "things_owner_idx" ON "things" ("owner")'))
    await connection.run(sql('CREATE INDEX "things_fold" ON "things" (lower("name"))'))
    await connection.run(sql('CREATE INDEX "things_dear" ON "things" ("price") WHERE "price" > 5'))
  })
  return engine
}

describe('tables', () => {
  test('are STRICT', async ({ open }) => {
    const engine = await withTables(await open())
    const insert = unit((connection) => connection.run(sql(`INSERT INTO things (name, price) VALUES ('a', 'abc')`)))
    await expect(engine.write(insert)).rejects.toBeInstanceOf(ConstraintViolation)
  })

  test('are made once', async ({ open }) => {
    const engine = await withTables(await open())
    await engine.define(async (connection) => {
      await connection.run(sql(engine.createTableSql('owners', ['"id" TEXT NOT NULL PRIMARY KEY'])))
    })
    expect(await engine.read((connection) => engine.inspect(connection))).toHaveLength(2)
  })

  test('are inspected in terms that can be compared', async ({ open }) => {
    const engine = await withTables(await open())
    expect(await engine.read((connection) => engine.inspect(connection))).toEqual([
      {
        name: 'owners',
        columns: [
          { name: 'id', type: 'TEXT', nullable: false },
          { name: 'name', type: 'TEXT', nullable: false },
        ],
        primaryKey: ['id'],
        indexes: [{ name: 'sqlite_autoindex_owners_2', columns: ['name'], unique: true, liveOnly: false }],
        references: [],
      },
      {
        name: 'things',
        columns: [
          { name: 'id', type: 'INTEGER', nullable: false },
          { name: 'name', type: 'TEXT', nullable: false },
          { name: 'price', type: 'INT', nullable: true },
          { name: 'owner', type: 'TEXT', nullable: true },
          { name: 'deleted_at', type: 'TEXT', nullable: true },
        ],
        primaryKey: ['id'],
        indexes: [
          { name: 'things_name_key', columns: ['name', 'price'], unique: true, liveOnly: true },
          { name: 'things_owner_idx', columns: ['owner'], unique: false, liveOnly: false },
        ],
        references: [{ column: 'owner', table: 'owners', targetColumn: 'id' }],
      },
    ])
  })
})

describe('define', () => {
  test('makes all or nothing', async ({ open, file }) => {
    const engine = await open()
    const broken = engine.define(async (connection) => {
      await connection.run(sql('CREATE TABLE half (a INTEGER) STRICT'))
      throw new Error('stop')
    })
    await expect(broken).rejects.toThrow('stop')
    expect(stored(file, 'SELECT name FROM sqlite_schema')).toEqual([])
  })

  test('lets statements that were prepared before it see the new columns', async ({ open }) => {
    const engine = await withTables(await open())
    const all = () => engine.read((connection) => connection.all(sql('SELECT * FROM owners')))
    await engine.write(unit((connection) => connection.run(sql(`INSERT INTO owners VALUES ('o', 'Olga')`))))
    expect(await all()).toEqual([{ id: 'o', name: 'Olga' }])
    await engine.define(async (connection) => {
      await connection.run(sql('ALTER TABLE owners ADD COLUMN big INT DEFAULT 9007199254740993'))
    })
    expect(await all()).toEqual([{ id: 'o', name: 'Olga', big: 9007199254740993n }])
  })
})

describe('an index that is dropped as a plain one', () => {
  const rows = 20_000
  const fill = sql(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})
    INSERT INTO things (name, price) SELECT 'thing ' || n, n FROM numbers`)
  const drop = async (engine: Engine, name: string) => await engine.define((connection) => engine.dropPlainIndex(connection, name))

  test('is gone, and its pages are not written once more', async ({ open, file }) => {
    const before = await withTables(await open())
    await before.write(unit((connection) => connection.run(fill)))
    await before.close()
    const engine = await open()
    await drop(engine, 'things_name_key')
    const [shape] = (await engine.read((connection) => engine.inspect(connection))).filter(({ name }) => name === 'things')
    expect(shape?.indexes.map(({ name }) => name)).toEqual(['things_owner_idx'])
    // One of its entries takes 15 bytes and more.
    expect(statSync(`${file}-wal`).size).toBeLessThan(rows * 3)
    await drop(engine, 'things_name_key')
  })

  test('leaves it at that: what is deleted afterwards is written over, after a failure too', async ({ open, file }) => {
    const engine = await withTables(await open())
    await engine.write(unit((connection) => connection.run(fill)))
    await drop(engine, 'things_owner_idx')
    await expect(drop(engine, 'sqlite_autoindex_owners_2')).rejects.toThrow()
    await engine.write(unit((connection) => connection.run(sql('DELETE FROM things'))))
    await engine.close()
    expect(readFileSync(file).includes('thing 1')).toBe(false)
  })
})

describe('counted ids', () => {
  const insertAnswer = unit((connection) => connection.all(sql(`INSERT INTO things (name) VALUES ('x') RETURNING id`)))

  test('go on above an id that was given, whether or not the table had one', async ({ open }) => {
    const engine = await withTables(await open())
    await engine.write(unit((connection) => engine.advanceIds(connection, 'things', 'id', 41)))
    expect(await engine.write(insertAnswer)).toEqual([{ id: 42 }])
    await engine.write(unit((connection) => connection.run(sql('DELETE FROM things'))))
    await engine.write(unit((connection) => engine.advanceIds(connection, 'things', 'id', 99)))
    expect(await engine.write(insertAnswer)).toEqual([{ id: 100 }])
  })

  test('are never lowered', async ({ open }) => {
    const engine = await withTables(await open())
    await engine.write(unit((connection) => engine.advanceIds(connection, 'things', 'id', 41)))
    await engine.write(unit((connection) => engine.advanceIds(connection, 'things', 'id', 3)))
    expect(await engine.write(insertAnswer)).toEqual([{ id: 42 }])
  })
})

describe('the builder', () => {
  test('compiles, and refuses to execute', async ({ open }) => {
    const { builder } = await open()
    const query = builder.selectFrom('things').select('name').where('id', '=', 1)
    expect(query.compile()).toMatchObject({ sql: 'select "name" from "things" where "id" = ?', parameters: [1] })
    expect(await errorOf(query.execute())).toMatchObject({ code: 'outer_handle' })
  })
})
