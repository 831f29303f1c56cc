import {
  type AnyModel,
  Bytes,
  DateTime,
  Decimal,
  defineModel,
  Int64,
  Json,
  ModelAccessor,
  openStorage,
  PlainDate,
  recordToJson,
  ValidationError,
} from '@strongroom/core'
import { describeEngines, engineNames, freshPostgres, tempFolder } from '@strongroom/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Sample = defineModel('samples', {
  text: Type.Optional(Type.String()),
  whole: Type.Optional(Type.Integer()),
  real: Type.Optional(Type.Number()),
  wide: Type.Optional(Int64()),
  price: Type.Optional(Decimal({ precision: 18, scale: 4 })),
  flag: Type.Optional(Type.Boolean()),
  choice: Type.Optional(Type.Enum(["it's", 'two words', 'ü'])),
  level: Type.Optional(Type.Enum([-1, 0, 7])),
  at: Type.Optional(DateTime()),
  day: Type.Optional(PlainDate()),
  data: Type.Optional(Json()),
  bytes: Type.Optional(Bytes({ maxLength: 64 })),
})

type Values = Record<string, unknown>
const runs = Number(process.env['RUNS'] ?? 60)

const texts = [
  '',
  ' ',
  'it\'s "quoted" \\ $1 -- ; DROP TABLE samples',
  'line\nbreak\r\n\ttab',
  '👩‍👩‍👧‍👦 ß É é',
  '\u{10FFFF}\uFFFF\uFEFF',
  '\u0001\u007F\u2028',
  '%_*?',
  'null',
  '0',
  '$1 ?1 :a',
]
const goodText = fc.oneof(
  fc.constantFrom(...texts),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
)
const goodJson = fc.oneof(
  fc.constantFrom<unknown>(
    { '10': 1, '9': 2, b: 1, a: { z: [], y: {} } },
    { constructor: 1, prototype: { toString: 'x' }, '': '' },
    [null, [[]], { a: null }],
    2 ** 53,
    -0,
    [-0, 5e-324, 1e308],
    '',
    false,
    nested(100),
  ),
  fc.jsonValue().filter((value) => value !== null && isJsonText(JSON.stringify(value))),
)

const good: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  text: goodText,
  whole: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-0, 2 ** 53 - 1, -(2 ** 53) + 1)),
  real: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-0, 1e308, -1e308, 5e-324, 0.1 + 0.2, 2 ** 53 + 2)),
  wide: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n, 0n)),
  price: fc.oneof(
    fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map(asDecimal),
    fc.constantFrom('0', '-0', '-0.0', '1.5', '99999999999999.9999', '-99999999999999.9999', '0.0001'),
  ),
  flag: fc.boolean(),
  choice: fc.constantFrom("it's", 'two words', 'ü'),
  level: fc.constantFrom(-1, 0, -0, 7),
  at: fc.oneof(
    fc.date({ min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
    fc
      .constantFrom('0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z', '1582-10-10T00:00:00.001Z')
      .map((text) => new Date(text)),
  ),
  day: fc.oneof(
    fc.constantFrom('0001-01-01', '9999-12-31', '1969-12-31', '2024-02-29'),
    fc
      .date({ min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  ),
  data: goodJson,
  bytes: fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.constant(new Uint8Array())),
}

const proto: unknown = JSON.parse('{"a":{"__proto__":{"x":1}}}')
const bad: Readonly<Record<string, readonly unknown[]>> = {
  text: ['a\0b', '\0', '\uD800', 'x\uDC00y', 7, true, {}, []],
  whole: [2 ** 53, -(2 ** 53), 1.5, Number.NaN, Number.POSITIVE_INFINITY, '7', 7n],
  real: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '1', 1n],
  wide: [2n ** 63n, -(2n ** 63n) - 1n, 7, '7'],
  price: ['', '1.', '.5', '1e3', '01', '+1', '1.00001', '100000000000000', 'NaN', 1.5],
  flag: [0, 1, 'true'],
  choice: ['its', '', 'Ü', 1],
  level: [1, '7', 0.5],
  at: [new Date(Number.NaN), new Date('+010000-01-01T00:00:00.000Z'), new Date(-62_135_596_800_001), '2024-01-01T00:00:00Z', 0],
  day: ['0000-01-01', '10000-01-01', '2023-02-29', '2024-13-01', '2024-1-1', '2024-01-01T00:00:00Z', new Date(0)],
  data: [nested(101), proto, { a: undefined }, [Number.NaN], { a: 'x\0' }, { 'k\uD800': 1 }, new Map(), () => 1, 1n, new Date(0)],
  bytes: [new Uint8Array(65), 'AQ==', [1, 2], new Uint16Array(2)],
}

const goodRecord: fc.Arbitrary<Values> = fc.record(
  Object.fromEntries(Object.entries(good).map(([name, values]) => [name, fc.option(values, { freq: 8 })])),
  { requiredKeys: [] },
)
const badPair = fc.constantFrom(...Object.entries(bad).flatMap(([name, values]) => values.map((value) => [name, value] as const)))

describeEngines('values', (engine) => {
  const open = storagesOn(engine)

  test('read back exactly as they were written: by get, find, stream and in the audit entry', async () => {
    const samples = new ModelAccessor(Sample, 'samples')
    const storage = await open([samples])
    await fc.assert(
      fc.asyncProperty(goodRecord, async (record) => {
        const inserted = await samples.insert(record as never)
        const expected = { id: inserted.id, ...whole(record) }
        expect(inserted).toStrictEqual(expected)
        expect(await samples.get(inserted.id)).toStrictEqual(expected)
        for await (const row of samples.stream({ where: { id: inserted.id } })) expect(row).toStrictEqual(expected)
        for (const [name, value] of Object.entries(expected)) {
          if (name === 'data') continue
          expect(await samples.find({ where: { [name]: value, id: { gte: inserted.id } } as never }), name).toStrictEqual([expected])
        }
        const entry = await storage.audit.findOne({ component: 'samples', record_id: inserted.id })
        expect(entry?.after).toStrictEqual(JSON.parse(JSON.stringify(recordToJson(Sample, expected, { secrets: 'mask' }))))
      }),
      { numRuns: runs },
    )
  })

  test('travel alike whether records are converted one by one or read in wire form', async () => {
    const samples = new ModelAccessor(Sample, 'samples')
    const storage = await open([samples])
    await samples.insertMany(fc.sample(goodRecord, 40) as never)
    const orders = Sample.fields.filter(({ hidden, kind }) => !hidden && kind !== 'json').flatMap(({ name }) => [name, `-${name}`])
    for (const orderBy of orders as 'id'[]) {
      for (const start of [{}, { offset: 7 }, 'next', 'previous'] as const) {
        const first = await samples.page({ orderBy, offset: 11, limit: 9 })
        const cursor = start === 'next' ? { after: first.next } : { before: first.previous }
        const options = { orderBy, limit: 9, ...(typeof start === 'string' ? cursor : start) } as object
        const { rows, ...page } = await samples.page(options)
        const wire = rows.map((row) => recordToJson(Sample, row, { secrets: 'omit' }))
        expect(JSON.stringify(await samples.wirePage(options))).toBe(JSON.stringify({ rows: wire, ...page }))
        expect(wire.length).toBe(9)
      }
    }
    // Another program may write an instant in another form.
    await storage.transaction(({ kysely }) => sql`update samples set "at" = '2026-01-31 12:00:00Z' where id = 1`.execute(kysely), {
      unaudited: true,
    })
    expect((await samples.wirePage({ limit: 1 })).rows).toMatchObject([{ at: '2026-01-31T12:00:00.000Z' }])
    const fields = ['at', 'wide', 'bytes'] as const
    const few = await samples.wirePage({ fields, limit: 3 })
    const { rows } = await samples.page({ fields, limit: 3 })
    expect(few.rows).toStrictEqual(rows.map((row) => recordToJson(Sample, row, { secrets: 'omit' })))
  })

  test('are changed to what an update says', async () => {
    const samples = new ModelAccessor(Sample, 'samples')
    await open([samples])
    const { id } = await samples.insert({})
    await fc.assert(
      fc.asyncProperty(goodRecord, async (record) => {
        const before = await samples.get(id)
        await samples.update(id, record as never)
        expect(await samples.get(id)).toStrictEqual({ ...before, ...normal(record) })
      }),
      { numRuns: runs },
    )
  })

  test('that no field can hold are refused by name, and nothing is stored', async () => {
    const samples = new ModelAccessor(Sample, 'samples')
    const storage = await open([samples])
    const kept = await samples.insert({ text: 'kept' })
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        for (const write of [() => samples.insert({ [name]: value } as never), () => samples.update(kept.id, { [name]: value } as never)]) {
          const error = await rejectionOf(write())
          expect(error).toBeInstanceOf(ValidationError)
          expect(error).toMatchObject({ code: 'validation_failed', issues: [{ path: name }] })
        }
      }
    }
    expect(await samples.all()).toStrictEqual([kept])
    expect(await storage.audit.count()).toBe(1)
  })

  test('the empty string, null and nothing are three things, of which two are stored', async () => {
    const samples = new ModelAccessor(Sample, 'samples')
    await open([samples])
    const rows = await samples.insertMany([{ text: '' }, { text: null }, {}])
    expect(rows.map((row) => row.text)).toEqual(['', null, null])
    expect((await samples.find({ where: { text: '' } })).map((row) => row.id)).toEqual([1])
    expect((await samples.find({ where: { text: null } })).map((row) => row.id)).toEqual([2, 3])
  })

  test('what is read belongs to the reader: changing it changes nobody else’s', async () => {
    const samples = new ModelAccessor(Sample, 'samples')
    await open([samples])
    const given = { data: { list: [1] }, bytes: new Uint8Array([1]), at: new Date(0) }
    const row = await samples.insert(given)
    given.data.list.push(2)
    given.bytes[0] = 9
    given.at.setTime(1)
    expect(row).toMatchObject({ data: { list: [1] }, bytes: new Uint8Array([1]), at: new Date(0) })
    row.bytes?.fill(7)
    expect((await samples.get(row.id))?.bytes).toStrictEqual(new Uint8Array([1]))
  })

  test('text ids hold anything that a path can carry, uuids are kept in lower case', async () => {
    const Named = defineModel('named', {}, { id: 'text' })
    const Unique = defineModel('numbered', {}, { id: 'uuid' })
    const [named, numbered] = [new ModelAccessor(Named, 'named'), new ModelAccessor(Unique, 'numbered')]
    await open([named, numbered])
    for (const id of ["'", '"', '%2F', 'a/b', ' ', '👻', '...', '\n', 'É'.normalize('NFD'), 'x'.repeat(255)]) {
      expect(await named.insert({ id })).toStrictEqual({ id })
      expect(await named.get(id)).toStrictEqual({ id })
    }
    for (const id of ['', '.', '..', 'a\0', '\uD800', 'x'.repeat(256)])
      expect(await rejectionOf(named.insert({ id }))).toMatchObject({ issues: [{ path: 'id' }] })
    const upper = '0199B6F4-3C5A-7D0E-9A41-5B8F0C2E7A13'
    expect(await numbered.insert({ id: upper })).toStrictEqual({ id: upper.toLowerCase() })
    expect(await numbered.get(upper)).toStrictEqual({ id: upper.toLowerCase() })
    expect(await numbered.find({ where: { id: upper } })).toHaveLength(1)
    expect(await numbered.save({ id: upper })).toStrictEqual({ id: upper.toLowerCase() })
  })
})

describe('values on all engines', () => {
  test('the same input has the same outcome on each', async () => {
    const folder = await tempFolder('values')
    const postgres = await freshPostgres()
    const urls = { sqlite: `sqlite:${folder.path}/values.db`, postgres: postgres.url }
    const stores = await Promise.all(
      engineNames.map(async (name) => {
        const samples = new ModelAccessor(Sample, 'samples')
        return { samples, storage: await openStorage({ url: urls[name], accessors: [samples] }) }
      }),
    )
    try {
      await fc.assert(
        fc.asyncProperty(goodRecord, fc.option(badPair), async (record, spoilt) => {
          const input = spoilt ? { ...record, [spoilt[0]]: spoilt[1] } : record
          const outcomes = await Promise.all(
            stores.map(({ samples, storage }) =>
              outcomeOf(
                samples,
                () => samples.insert(input as never),
                () => storage.audit.findOne(),
              ),
            ),
          )
          for (const outcome of outcomes) expect(outcome).toStrictEqual(outcomes[0])
        }),
        { numRuns: runs },
      )
    } finally {
      for (const { storage } of stores) await storage.close()
      await postgres.remove()
      await folder.remove()
    }
  })
})

async function outcomeOf(
  samples: ModelAccessor<typeof Sample>,
  write: () => Promise<{ id: number }>,
  entry: () => Promise<unknown>,
): Promise<unknown> {
  try {
    const { id } = await write()
    const { after } = (await entry()) as { after: object }
    return { row: await samples.get(id), after }
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return { code, message }
  }
}

/** A whole record: what is not given is null. */
function whole(record: Values): Values {
  const names = (Sample as AnyModel).fields.filter((field) => field.role === 'data').map((field) => field.name)
  return { ...Object.fromEntries(names.map((name) => [name, null])), ...normal(record) }
}

/** What the documentation says of stored values: no negative zero, and a decimal has all its digits. */
function normal(record: Values): Values {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      name === 'price' && typeof value === 'string' ? allDigits(value) : withoutNegativeZero(value),
    ]),
  )
}

function withoutNegativeZero(value: unknown): unknown {
  if (value === 0) return 0
  if (Array.isArray(value)) return value.map(withoutNegativeZero)
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutNegativeZero(member)]))
}

function allDigits(text: string): string {
  const [wholePart = '', fraction = ''] = text.split('.')
  const padded = `${wholePart}.${fraction.padEnd(4, '0')}`
  return /^-0\.0*$/.test(padded) ? padded.slice(1) : padded
}

function asDecimal(scaled: bigint): string {
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(5, '0')
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4)}`
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { deeper: value }
  return value
}

function isJsonText(text: string): boolean {
  return !text.includes('\\u0000') && !text.includes('__proto__') && text.isWellFormed() && !/\\ud[89a-f]/i.test(text)
}
