import { Bytes, DateTime, defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { freshPostgres } from '@strongroom/testkit'
import fc from 'fast-check'
import pg from 'pg'
import { Type } from 'typebox'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import type { Field, FieldKind } from '../../src/model/model.ts'
import { openFresh, sql, unit } from './postgres-support.ts'
import { field } from './sqlite-support.ts'

const kinds: FieldKind[] = ['text', 'uuid', 'integer', 'int64', 'number', 'boolean', 'decimal', 'datetime', 'date', 'json', 'bytes']
const fields = new Map<FieldKind, Field>(
  kinds.map((kind) => [kind, field(kind, { name: kind, nullable: true, ...(kind === 'decimal' && { precision: 18, scale: 4 }) })]),
)

let engine: Engine

beforeAll(async () => {
  // the host program may have changed the driver's global parsers; they are not this engine's
  for (const oid of [16, 17, 20, 114, 701, 1082, 1184, 1700]) pg.types.setTypeParser(oid, () => 'changed by the host')
  engine = await openFresh()
  const columns = [...fields.values()].map((column) => `"${column.name}" ${engine.columnDefinition(column)}`)
  await engine.define((connection) => Promise.resolve(connection.run(sql(engine.createTableSql('everything', columns)))))
  for (const oid of [16, 17, 20, 114, 701, 1082, 1184, 1700]) pg.types.setTypeParser(oid, (text: string) => text)
})

/** Writes a value into its column and reads it back, both through the field's codec. */
async function there(kind: FieldKind, value: unknown): Promise<unknown> {
  const column = fields.get(kind)
  if (!column) throw new Error(`no column for ${kind}`)
  const codec = engine.codec(column)
  return await engine.write(
    unit(async (connection) => {
      const [row] = await connection.all(
        sql(`INSERT INTO everything ("${kind}") VALUES ($1) RETURNING "${kind}" AS value`, codec.encode(value)),
      )
      return codec.decode(row?.['value'])
    }),
  )
}

const hostile: Partial<Record<FieldKind, unknown[]>> = {
  text: [
    '',
    ' ',
    `'; DROP TABLE everything; --`,
    '"',
    '\\',
    '\\x41',
    '\n\r\t',
    '😀',
    'é',
    '\u{10FFFF}',
    '$1',
    '%s',
    '{a,b}',
    'NULL',
    'null',
    'x'.repeat(100_000),
  ],
  uuid: ['00000000-0000-0000-0000-000000000000', '018f4d9e-7c00-7abc-8def-0123456789ab'],
  integer: [0, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 31],
  int64: [0n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  number: [0, 0.1, 1e308, -1e308, 5e-324, 1 / 3, 2 ** 53 + 2, 123456789.12345679],
  boolean: [true, false],
  decimal: ['0.0000', '-0.0001', '99999999999999.9999', '-99999999999999.9999', '1.5000'],
  datetime: [
    '0001-01-01T00:00:00.000Z',
    '0099-12-31T23:59:59.999Z',
    '1883-11-18T12:03:58.000Z',
    '1969-12-31T23:59:59.999Z',
    '2024-02-29T12:00:00.100Z',
    '9999-12-31T23:59:59.999Z',
  ].map((text) => new Date(text)),
  date: ['0001-01-01', '1582-10-10', '2024-02-29', '9999-12-31'],
  json: [
    {},
    [],
    [1, [2, [3]]],
    'text',
    0,
    true,
    false,
    '',
    { 'a"b': [null, { c: '\n😀\u0000' }] },
    { b: 1, a: 2 },
    [[]],
    Array.from({ length: 200 }).reduce<unknown>((inner) => [inner], 1),
  ],
  bytes: [
    new Uint8Array(),
    new Uint8Array([0, 255, 92, 39, 10]),
    new Uint8Array(new ArrayBuffer(16), 4, 3),
    Uint8Array.from({ length: 70_000 }, (_, index) => index % 256),
  ],
}

describe.each(kinds)('a value of the kind %s', (kind) => {
  test('comes back exactly as it was', async () => {
    for (const value of hostile[kind] ?? []) expect(await there(kind, value)).toEqual(value)
  })

  test('may be null', async () => {
    const rows = await engine.write(
      unit((connection) => connection.all(sql(`INSERT INTO everything ("${kind}") VALUES ($1) RETURNING "${kind}" AS value`, null))),
    )
    expect(rows).toEqual([{ value: null }])
  })
})

test('bytes are a plain Uint8Array with memory of their own', async () => {
  const bytes = await there('bytes', new Uint8Array([1, 2, 3]))
  expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
  expect(bytes instanceof Uint8Array && bytes.buffer.byteLength).toBe(3)
})

test('any text, number, instant and JSON comes back', async () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0') && value.isWellFormed())
  const instant = fc.date({ min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
  const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
  await fc.assert(
    fc.asyncProperty(text, instant, number, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.jsonValue(), async (...values) => {
      const [words, at, real, big, json] = values
      expect(await there('text', words)).toBe(words)
      expect(await there('datetime', at)).toEqual(at)
      expect(await there('number', real)).toBe(real === 0 ? 0 : real)
      expect(await there('int64', big)).toBe(big)
      expect(JSON.stringify(await there('json', json))).toBe(JSON.stringify(json))
    }),
    { numRuns: 60 },
  )
})

test('rows of a statement that somebody else wrote have plain values', async () => {
  const [row] = await engine.read((connection) =>
    connection.all(
      sql(`SELECT 1::bigint AS small, 9007199254740993::bigint AS large, count(*) AS count, 1.50::numeric AS exact, true AS yes,
    '2024-01-02'::date AS day, '2024-01-02 03:04:05.1+02'::timestamptz AS at, '2024-01-02 03:04:05.123456+00'::timestamptz AS fine, 'infinity'::timestamptz AS never,
    '{"a": 1}'::json AS document, '\\x00ff'::bytea AS bytes, 0.1::float8 AS real, ARRAY[1, 2]::int[] AS list FROM everything WHERE false`),
    ),
  )
  expect(row).toEqual({
    small: 1,
    large: 9007199254740993n,
    count: 0,
    exact: '1.50',
    yes: true,
    day: '2024-01-02',
    at: '2024-01-02T01:04:05.100Z',
    fine: '2024-01-02T03:04:05.123456Z',
    never: 'infinity',
    document: '{"a": 1}',
    bytes: new Uint8Array([0, 255]),
    real: 0.1,
    list: [1, 2],
  })
})

test('instants are read right in a session that speaks another zone', async () => {
  await engine.write(
    unit(async (connection) => {
      await connection.raw(sql(`SET LOCAL TimeZone = 'America/New_York'`), { write: true })
      const rows = await connection.all(
        sql(`SELECT '1880-01-01T00:00:00.5Z'::timestamptz AS old, '2024-07-01T12:00:00Z'::timestamptz AS summer`),
      )
      expect(rows).toEqual([{ old: '1880-01-01T00:00:00.500Z', summer: '2024-07-01T12:00:00.000Z' }])
    }),
  )
})

test('values are the same whatever the database has as its defaults', async () => {
  const database = await freshPostgres()
  onTestFinished(database.remove)
  const defaults = { DateStyle: 'German', TimeZone: 'Asia/Kolkata', bytea_output: 'escape', extra_float_digits: -5, array_nulls: 'off' }
  const said = Object.entries(defaults).map(([name, value]) => encodeURIComponent(` -c ${name}=${value}`))
  const Pet = defineModel('pets', {
    name: Type.Optional(Type.String()),
    born: Type.Optional(DateTime()),
    weight: Type.Optional(Type.Number()),
    photo: Type.Optional(Bytes({ maxLength: 10 })),
  })
  const pets = new ModelAccessor(Pet, 'pets')
  const storage = await openStorage({ url: `${database.url}${said.join('')}`, accessors: [pets] })
  onTestFinished(() => storage.close())
  const written = [
    { name: null, born: null, weight: null, photo: null },
    { name: 'NULL', born: new Date('2026-03-29T01:30:00.001Z'), weight: 0.1 + 0.2, photo: new Uint8Array([0, 92, 255]) },
  ]
  await pets.insertMany(written)
  for (const row of written) await pets.insert(row)
  expect((await pets.all()).map(({ id, ...row }) => row)).toEqual([...written, ...written])
})

test('text is compared by code point, whatever the locale', async () => {
  const words = ['a', 'B', 'Z', 'z', 'é', 'É', '😀', '\uffff', 'aa', 'a b']
  const rows = await engine.write(
    unit(async (connection) => {
      await connection.run(sql('CREATE TEMP TABLE words (word text COLLATE "C") ON COMMIT DROP'))
      await connection.run(sql('INSERT INTO words SELECT unnest($1::text[])', words))
      return await connection.all(sql('SELECT word FROM words ORDER BY word'))
    }),
  )
  const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
  expect(rows.map((row) => row['word'])).toEqual(words.toSorted(byCodePoint))
})
