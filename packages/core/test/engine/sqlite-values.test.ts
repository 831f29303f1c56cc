import { describe, expect } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import type { Field } from '../../src/model/model.ts'
import { field, sql, test, unit } from './sqlite-support.ts'

const max64 = 9_223_372_036_854_775_807n

const values: [Field, unknown[]][] = [
  [field('text'), ['', 'plain', 'emoji 🗝️', 'quote \' " `', 'line\nbreak', 'Ünïcödé']],
  [field('uuid'), ['0190a6c8-0000-7000-8000-000000000000']],
  [field('date'), ['0001-01-01', '1969-12-31', '9999-12-31']],
  [field('integer'), [0, -1, 42, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
  [field('number'), [0, 1, -1, 0.1, 1e308, 5e-324, 2 ** 53, 1e21]],
  [field('boolean'), [true, false]],
  [field('int64'), [0n, -1n, 5n, 2n ** 53n + 1n, max64, -max64 - 1n]],
  [field('decimal', { precision: 18, scale: 2 }), ['0.00', '-0.01', '12.30', '-9999999999999999.99', '9999999999999999.99']],
  [field('decimal', { precision: 18, scale: 0 }), ['0', '-5', '999999999999999999']],
  [field('decimal', { precision: 18, scale: 18 }), ['0.000000000000000001', '-0.999999999999999999']],
  [field('datetime'), ['0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'].map((text) => new Date(text))],
  [field('json'), [{}, [], 'text', 0, false, { a: [1, { b: null }], ключ: '🗝️' }]],
  [field('bytes'), [new Uint8Array(), new Uint8Array([0, 255, 128]), new Uint8Array([9, 1, 2, 9]).subarray(1, 3)]],
]

async function roundTrip(engine: Engine, about: Field, value: unknown): Promise<unknown> {
  const codec = engine.codec(about)
  return engine.write(
    unit((connection) => {
      void connection.run(sql('DELETE FROM box'))
      void connection.run(sql('INSERT INTO box VALUES (?)', codec.encode(value)))
      // Connections of this engine answer at once.
      const [row] = connection.all(sql('SELECT value FROM box')) as { value: unknown }[]
      return codec.decode(row?.value)
    }),
  )
}

async function withBox(engine: Engine, about: Field): Promise<Engine> {
  await engine.define(async (connection) => {
    await connection.run(sql(engine.createTableSql('box', [`"value" ${engine.columnDefinition(about)}`])))
  })
  return engine
}

describe('values come back as they went in', () => {
  test.for(values)('$0.kind', async ([about, list], { open }) => {
    const engine = await withBox(await open(), about)
    for (const value of list) expect(await roundTrip(engine, about, value)).toStrictEqual(value)
  })

  test('bytes are a plain Uint8Array, not a Buffer', async ({ open }) => {
    const about = field('bytes')
    const back = await roundTrip(await withBox(await open(), about), about, Buffer.from('key'))
    expect(Buffer.isBuffer(back)).toBe(false)
    expect(back).toStrictEqual(new Uint8Array([107, 101, 121]))
  })

  test('booleans and integers are read from bigints too', async ({ open }) => {
    const engine = await open()
    expect(engine.codec(field('boolean')).decode(1n)).toBe(true)
    expect(engine.codec(field('integer')).decode(7n)).toBe(7)
    expect(engine.codec(field('int64')).decode(7)).toBe(7n)
  })
})

describe('what is stored sorts as the values do', () => {
  test('decimals are scaled integers', async ({ open }) => {
    const codec = (await open()).codec(field('decimal', { precision: 10, scale: 2 }))
    expect(['-1.5', '+2', '.25', '3.10'].map(codec.encode)).toEqual([-150n, 200n, 25n, 310n])
  })

  test('instants are text of one width', async ({ open }) => {
    const codec = (await open()).codec(field('datetime'))
    const texts = [new Date('0099-01-01T00:00:00Z'), new Date('1969-01-01T00:00:00Z'), new Date('2026-01-01T00:00:00.5Z')].map(codec.encode)
    expect(texts).toEqual(['0099-01-01T00:00:00.000Z', '1969-01-01T00:00:00.000Z', '2026-01-01T00:00:00.500Z'])
  })
})

describe('integers past 2^53', () => {
  const wide = '9007199254740993'

  test('are exact in an expression, in RETURNING and in a declared column; those that fit are numbers', async ({ open }) => {
    const about = field('int64')
    const engine = await withBox(await open(), about)
    const found = await engine.write(
      unit((connection) => [
        connection.all(sql(`INSERT INTO box VALUES (${wide}), (5) RETURNING value`)),
        connection.all(sql('SELECT value FROM box ORDER BY value')),
        connection.all(sql('SELECT max(value) AS value, count(*) AS count FROM box')),
      ]),
    )
    expect(found).toEqual([
      [{ value: BigInt(wide) }, { value: 5 }],
      [{ value: 5 }, { value: BigInt(wide) }],
      [{ value: BigInt(wide), count: 2 }],
    ])
  })

  test('are exact in raw statements', async ({ open }) => {
    const engine = await open()
    await engine.define(async (connection) => {
      await connection.run(sql('CREATE TABLE plain (a INTEGER) STRICT'))
      await connection.run(sql(`INSERT INTO plain VALUES (${wide}), (1)`))
    })
    const raw = await engine.read((connection) => connection.raw(sql('SELECT a FROM plain'), { write: false }))
    expect(raw).toEqual({ rows: [{ a: BigInt(wide) }, { a: 1 }], changed: 0 })
    // The same statement afterwards, as the accessors run it.
    expect(await engine.read((connection) => connection.all(sql('SELECT a FROM plain WHERE a = 1')))).toEqual([{ a: 1 }])
  })
})
