import { freshPostgres } from '@strongroom/testkit'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { openPostgresEngine } from '../../src/engine/postgres/open.ts'
import { makeItems, openFresh, sql, unit } from './postgres-support.ts'
import { field } from './sqlite-support.ts'

const run = (engine: Engine, ...statements: string[]) =>
  engine.define(async (connection) => {
    for (const statement of statements) await connection.run(sql(statement))
  })

describe('the DDL of a field', () => {
  test('spells types as the server reports them', async () => {
    const engine = await openFresh()
    const fields = [
      field('text', { name: 'text' }),
      field('uuid', { name: 'uuid' }),
      field('integer', { name: 'integer' }),
      field('int64', { name: 'int64' }),
      field('number', { name: 'number' }),
      field('boolean', { name: 'boolean' }),
      field('decimal', { name: 'decimal', precision: 12, scale: 2 }),
      field('datetime', { name: 'datetime' }),
      field('date', { name: 'date' }),
      field('json', { name: 'json', nullable: true }),
      field('bytes', { name: 'bytes', nullable: true }),
    ]
    const id = field('integer', { name: 'id', role: 'id' })
    const definitions = [
      `"id" ${engine.idDefinition(id, { countedId: true })}`,
      ...fields.map((column) => `"${column.name}" ${engine.columnDefinition(column)}`),
    ]
    await run(engine, engine.createTableSql('every "kind"', definitions), engine.createTableSql('every "kind"', definitions))
    const [table] = await engine.read((connection) => engine.inspect(connection))
    expect(table).toEqual({
      name: 'every "kind"',
      columns: [id, ...fields].map((column) => ({ name: column.name, type: engine.columnType(column), nullable: column.nullable })),
      primaryKey: ['id'],
      indexes: [],
      references: [],
    })
  })

  test('holds enums to their values, quotes and all', async () => {
    const engine = await openFresh()
    const mood = field('text', { name: 'mood', values: [`it's`, 'a\\b'] })
    const level = field('integer', { name: 'level', values: [1, 2] })
    await run(engine, engine.createTableSql('moods', [`mood ${engine.columnDefinition(mood)}`, `level ${engine.columnDefinition(level)}`]))
    const insert = (...values: unknown[]) =>
      engine.write(unit((connection) => connection.run(sql('INSERT INTO moods VALUES ($1, $2)', ...values))))
    expect(await insert(`it's`, 1)).toBe(1)
    expect(await insert('a\\b', 2)).toBe(1)
    await expect(insert('other', 1)).rejects.toMatchObject({ kind: 'check', table: 'moods' })
    await expect(insert('a\\b', 3)).rejects.toMatchObject({ kind: 'check' })
  })

  test('gives ids of every type a primary key', async () => {
    const engine = await openFresh()
    await run(
      engine,
      engine.createTableSql('by_text', [`code ${engine.idDefinition(field('text', { name: 'code' }), { countedId: false })}`]),
      engine.createTableSql('by_uuid', [`id ${engine.idDefinition(field('uuid', { name: 'id' }), { countedId: false })}`]),
    )
    const tables = await engine.read((connection) => engine.inspect(connection))
    expect(tables.map(({ name, primaryKey, columns }) => [name, primaryKey, columns])).toEqual([
      ['by_text', ['code'], [{ name: 'code', type: 'text COLLATE "C"', nullable: false }]],
      ['by_uuid', ['id'], [{ name: 'id', type: 'uuid', nullable: false }]],
    ])
  })
})

describe('the tables that stand in the database', () => {
  test('are told with keys, indexes and references', async () => {
    const engine = await openFresh()
    await run(
      engine,
      'CREATE TABLE parents (a int, b int, code text COLLATE "C" NOT NULL, deleted_at timestamptz(3), PRIMARY KEY (b, a))',
      'CREATE UNIQUE INDEX parents_code_key ON parents (code)',
      'CREATE TABLE children (id bigint PRIMARY KEY, "Parent" text COLLATE "C" REFERENCES parents (code), name varchar(10), deleted_at timestamptz(3))',
      'CREATE UNIQUE INDEX children_name_key ON children (name, "Parent") WHERE deleted_at IS NULL',
      'CREATE INDEX children_name_idx ON children (name) INCLUDE ("Parent")',
    )
    expect(await engine.read((connection) => engine.inspect(connection))).toEqual([
      {
        name: 'children',
        columns: [
          { name: 'id', type: 'bigint', nullable: false },
          { name: 'Parent', type: 'text COLLATE "C"', nullable: true },
          { name: 'name', type: 'character varying(10)', nullable: true },
          { name: 'deleted_at', type: 'timestamp(3) with time zone', nullable: true },
        ],
        primaryKey: ['id'],
        indexes: [
          { name: 'children_name_idx', columns: ['name'], unique: false, liveOnly: false },
          { name: 'children_name_key', columns: ['name', 'Parent'], unique: true, liveOnly: true },
        ],
        references: [{ name: 'children_Parent_fkey', column: 'Parent', table: 'parents', targetColumn: 'code' }],
      },
      {
        name: 'parents',
        columns: [
          { name: 'a', type: 'integer', nullable: false },
          { name: 'b', type: 'integer', nullable: false },
          { name: 'code', type: 'text COLLATE "C"', nullable: false },
          { name: 'deleted_at', type: 'timestamp(3) with time zone', nullable: true },
        ],
        primaryKey: ['b', 'a'],
        indexes: [{ name: 'parents_code_key', columns: ['code'], unique: true, liveOnly: false }],
        references: [],
      },
    ])
  })

  test('leave out indexes that no model could want, dropped columns and other schemas', async () => {
    const engine = await openFresh()
    await run(
      engine,
      'CREATE TABLE words (word text COLLATE "C", gone int, level int)',
      'ALTER TABLE words DROP COLUMN gone',
      'CREATE UNIQUE INDEX lowered ON words (lower(word))',
      'CREATE UNIQUE INDEX other ON words (word) WHERE level = 1',
    )
    expect(await engine.read((connection) => engine.inspect(connection))).toMatchObject([
      { name: 'words', columns: [{ name: 'word' }, { name: 'level' }], indexes: [] },
    ])
  })

  test('are seen inside a unit, too', async () => {
    const engine = await openFresh()
    const names = await engine.define(async (connection) => {
      await connection.run(sql('CREATE TABLE fresh (id int)'))
      return (await engine.inspect(connection)).map((table) => table.name)
    })
    expect(names).toEqual(['fresh'])
  })
})

test('two processes that create the same tables at once do not collide', async () => {
  const database = await freshPostgres()
  const engines = await Promise.all([1, 2, 3, 4].map(() => openPostgresEngine({ url: database.url })))
  const define = (engine: Engine) =>
    engine.define(async (connection) => {
      for (const table of ['a', 'b', 'c']) {
        await connection.run(sql(engine.createTableSql(table, ['id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY'])))
        await connection.run(sql(`CREATE INDEX IF NOT EXISTS ${table}_idx ON ${table} (id)`))
      }
      return (await engine.inspect(connection)).length
    })
  expect(await Promise.all(engines.flatMap((engine) => [define(engine), define(engine)]))).toEqual([3, 3, 3, 3, 3, 3, 3, 3])
  await Promise.all(engines.map((engine) => engine.close()))
  await database.remove()
})

test('a definition that throws leaves nothing behind', async () => {
  const engine = await openFresh()
  const failing = engine.define(async (connection) => {
    await connection.run(sql('CREATE TABLE half (id int)'))
    throw new Error('the other half is missing')
  })
  await expect(failing).rejects.toThrow('the other half is missing')
  expect(await engine.read((connection) => engine.inspect(connection))).toEqual([])
})

describe('counted ids', () => {
  const nextId = (engine: Engine) =>
    engine.write(unit((connection) => connection.all(sql('INSERT INTO items DEFAULT VALUES RETURNING id')))).then(([row]) => row?.['id'])

  test.each([1, 7, 5_000, 2 ** 40])('go on above %d when it was taken by hand', async (id) => {
    const engine = await openFresh()
    await makeItems(engine)
    await engine.write(unit((connection) => engine.advanceIds(connection, 'items', 'id', id)))
    expect(await nextId(engine)).toBe(id + 1)
  })

  test('never go back', async () => {
    const engine = await openFresh()
    await makeItems(engine)
    for (let made = 0; made < 3; made++) await nextId(engine)
    await engine.write(
      unit(async (connection) => {
        await engine.advanceIds(connection, 'items', 'id', 2)
        await engine.advanceIds(connection, 'items', 'id', -5)
      }),
    )
    expect(await nextId(engine)).toBe(4)
  })

  test('stay unique while others draw them', async () => {
    const engine = await openFresh()
    await makeItems(engine)
    const advance = (id: number) => engine.write(unit((connection) => engine.advanceIds(connection, 'items', 'id', id)))
    await Promise.all(Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? advance(index * 2) : nextId(engine))))
    expect(Number(await nextId(engine))).toBeGreaterThan(114)
  })

  test('are above the highest of several that jump far at once', async () => {
    const engine = await openFresh()
    await makeItems(engine)
    const advance = (id: number) => engine.write(unit((connection) => engine.advanceIds(connection, 'items', 'id', id)))
    for (let round = 1; round <= 150; round++) {
      const far = Array.from({ length: 8 }, (_, index) => round * 10_000_000 + index * 100_000)
      await Promise.all(far.map(advance))
      expect(Number(await nextId(engine))).toBe((far.at(-1) ?? 0) + 1)
    }
  })

  test('belong to tables with names of any kind', async () => {
    const engine = await openFresh()
    await run(engine, 'CREATE TABLE "Odd ""name""" ("Key" bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)')
    await engine.write(unit((connection) => engine.advanceIds(connection, 'Odd "name"', 'Key', 41)))
    const [row] = await engine.write(
      unit((connection) => connection.all(sql('INSERT INTO "Odd ""name""" DEFAULT VALUES RETURNING "Key" AS key'))),
    )
    expect(row).toEqual({ key: 42 })
  })
})

test('a locked table keeps other units from counting it until the unit ends', async () => {
  const engine = await openFresh()
  await makeItems(engine)
  const insertUpToThree = () =>
    engine.write(
      unit(async (connection) => {
        await connection.lockTable('items')
        const [row] = await connection.all(sql('SELECT count(*) AS count FROM items'))
        if (Number(row?.['count']) < 3) await connection.run(sql('INSERT INTO items DEFAULT VALUES'))
      }),
    )
  await Promise.all(Array.from({ length: 12 }, insertUpToThree))
  expect(await engine.read((connection) => connection.all(sql('SELECT count(*) AS count FROM items')))).toEqual([{ count: 3 }])
})
