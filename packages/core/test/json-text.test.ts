import {
  DateTime,
  Decimal,
  defineAccess,
  defineModel,
  Int64,
  Json,
  type JsonData,
  ModelAccessor,
  PlainDate,
  recordToJson,
  versionOf,
} from '@strongroom/core'
import { describeEngines, type EngineName } from '@strongroom/testkit'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { storagesOn } from './support.ts'

/** Every kind of value that a database may write in JSON by itself. */
const Plain = defineModel(
  'plains',
  {
    text: Type.Optional(Type.String()),
    whole: Type.Optional(Type.Integer()),
    wide: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 18, scale: 4 })),
    count: Type.Optional(Decimal({ precision: 18, scale: 0 })),
    part: Type.Optional(Decimal({ precision: 3, scale: 3 })),
    flag: Type.Optional(Type.Boolean()),
    choice: Type.Optional(Type.Enum(["it's", '"two" \\ words', 'ü'])),
    level: Type.Optional(Type.Enum([-1, 0, 7])),
    at: Type.Optional(DateTime()),
    day: Type.Optional(PlainDate()),
    token: Type.Optional(Type.String()),
    Odd_Name: Type.Optional(Type.String()),
  },
  { softDelete: true, stamps: true, secret: ['token'] },
)

/** Some of these no database writes as JSON.stringify does. */
const Mixed = defineModel('mixeds', { real: Type.Optional(Type.Number()), data: Type.Optional(Json()), text: Type.String() })

const Count = defineModel('counts', { whole: Type.Integer() })
const Wide = defineModel('wides', { whole: Type.Integer(), wide: Int64(), real: Type.Optional(Type.Number()) })

const anyText = fc.oneof(
  fc.constantFrom(
    '',
    '"',
    '\\',
    ',{"id":',
    '},{"id":1',
    '\u2028\u2029\u007f',
    '\b\f\n\r\t\u0001\u001f',
    '👩‍👩‍👧‍👦\u{10ffff}\uffff',
    '</script>',
    "'",
  ),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
)
const most = 10n ** 18n - 1n
const scaled = (scale: number, end: bigint) =>
  fc.oneof(fc.bigInt({ min: -end, max: end }), fc.constantFrom(0n, -1n, end, -end)).map((value) => {
    const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
    const sign = value < 0n ? '-' : ''
    return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  })
const moments = { min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }
const values = {
  text: anyText,
  whole: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)),
  wide: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n)),
  price: scaled(4, most),
  count: scaled(0, most),
  part: scaled(3, 999n),
  flag: fc.boolean(),
  choice: fc.constantFrom("it's", '"two" \\ words', 'ü'),
  level: fc.constantFrom(-1, 0, 7),
  at: fc.date(moments),
  day: fc.date(moments).map((date) => date.toISOString().slice(0, 10)),
  token: anyText,
  Odd_Name: anyText,
} as const
const anyRecord = fc.record(
  Object.fromEntries(Object.entries(values).map(([name, each]) => [name, fc.option<unknown>(each, { freq: 6 })])),
  { requiredKeys: [] },
)

/** What other programs may write, and this library would not. */
const foreign: Readonly<Record<EngineName, readonly string[]>> = {
  sqlite: [
    `price = -9223372036854775808, count = 9223372036854775807, part = 9223372036854775807`,
    `price = -1, part = -1`,
    `at = '2026-01-31 12:00:00'`,
    `at = '2026-01-31T12:00:00Z'`,
    `at = '2026-01-31T12:00:00.000+02:00'`,
    `at = '2026-01-31'`,
    `at = 'Sat Jan 31 2026 12:00:00 Z'`,
    `text = 'a' || char(0) || 'b'`,
    `text = cast(x'61e282' as text), "Odd_Name" = cast(x'f09f' as text)`,
    `text = cast(x'eda080' as text)`,
    `text = cast(x'c328ff22' as text)`,
  ],
  postgres: [`at = '2026-01-31 12:00:00+02'`, `price = 1`, `text = U&'\\2028'`],
}

describeEngines('records as JSON text', (engine) => {
  const open = storagesOn(engine)

  test('are in the order of a field, whatever it is called', async () => {
    // Words of the statement that writes them.
    const names = ['record', 'records', 'text', 'count', 'version', 'select', 'order'] as const
    const Named = defineModel('records', Object.fromEntries(names.map((name) => [name, Type.String()])) as Record<string, never>)
    const named = new ModelAccessor(Named, 'records')
    await open([named])
    const rows = ['b', 'c', 'a'].map((letter) => Object.fromEntries(names.map((name) => [name, letter])))
    await named.insertMany(rows as never)
    for (const name of names) {
      const { text, next } = await named.pageJson({ orderBy: [name] as never, limit: 2 })
      const rest = await named.pageJson({ orderBy: [name] as never, limit: 2, after: next ?? '' })
      expect([...JSON.parse(text), ...JSON.parse(rest.text)].map((record: { id: number }) => record.id)).toEqual([3, 1, 2])
    }
  })

  test.each([498, 499])('are there of %i fields and the id, too', async (count) => {
    const fields = Object.fromEntries(Array.from({ length: count }, (_, index) => [`field_${index}`, Type.Optional(Type.String())]))
    const Broad = defineModel('broads', fields, { softDelete: true })
    const broads = new ModelAccessor(Broad, 'broads')
    await open([broads])
    const [row] = await broads.insertMany([{ field_0: 'a' }])
    const text = JSON.stringify(recordToJson(Broad, row ?? {}, { secrets: 'omit' }))
    expect((await broads.pageJson()).text).toBe(`[${text}]`)
    expect((await broads.getJson(1))?.text).toBe(text)
  })

  test('are letter by letter what the program would write, on each page of every order', async () => {
    const plains = new ModelAccessor(Plain, 'plains')
    const storage = await open([plains])
    await plains.insertMany(fc.sample(anyRecord, 30) as never)
    const ids = await plains.insertMany(foreign[engine.name].map(() => ({})))
    await storage.transaction(
      async ({ kysely }) => {
        for (const [index, set] of foreign[engine.name].entries())
          await sql`update plains set ${sql.raw(set)} where id = ${ids[index]?.id}`.execute(kysely)
      },
      { unaudited: true },
    )
    await plains.deleteMany([2, 3, 31])
    const fields = Plain.fields.filter(({ hidden, secret }) => !hidden && !secret).map(({ name }) => name)
    const order = fc.array(fc.constantFrom(...fields.flatMap((name) => [name, `-${name}`])), { maxLength: 3 })
    const shape = fc.record({
      orderBy: order,
      limit: fc.constantFrom(1, 2, 7, 50),
      includeDeleted: fc.boolean(),
      count: fc.constantFrom('exact' as const, 'none' as const),
      start: fc.constantFrom('first', 'offset', 'after', 'before'),
      where: fc.constantFrom({}, { id: { gt: 12 } }, { text: { contains: '"' } }, { id: { lt: 0 } }),
    })
    await fc.assert(
      fc.asyncProperty(shape, async ({ start, ...question }) => {
        const asked = question as { readonly orderBy: 'id'[]; readonly limit: number }
        const middle = await plains.page({ ...asked, offset: 4 })
        const place = {
          first: {},
          offset: { offset: 4 },
          after: middle.next && { after: middle.next },
          before: { before: middle.previous },
        }
        const options = { ...asked, ...(place[start as 'first'] ?? {}) }
        const { rows, ...page } = await plains.page(options)
        const text = JSON.stringify(rows.map((row) => recordToJson(Plain, row, { secrets: 'omit' })))
        expect(await plains.pageJson(options)).toStrictEqual({ text, size: rows.length, ...page })
      }),
      { numRuns: 80 },
    )
    for (const { id } of await plains.all({ includeDeleted: true })) {
      const row = await plains.get(id, { includeDeleted: true })
      const found = await plains.getJson(id, { includeDeleted: true })
      expect(found?.text).toBe(JSON.stringify(row && recordToJson(Plain, row, { secrets: 'omit' })))
      expect(found?.version).toBe(versionOf(row))
    }
  })

  test('are the same where the program has to write them', async () => {
    const mixeds = new ModelAccessor(Mixed, 'mixeds')
    await open([mixeds])
    const reals = [0.1 + 0.2, 1e21, -0, 5e-324, 1e-7, 123456789012345680000, 7, null]
    const datas: readonly JsonData[] = [{ '9': 1, '10': [1, { id: 2 }] }, [{ id: 1 }, { id: 2 }], 'a', 1e300, { ',{"id":': ',{"id":1' }]
    await mixeds.insertMany(reals.map((real, index) => ({ real, data: datas[index % datas.length] ?? null, text: ',{"id":' })))
    for (const limit of [1, 3, 100]) {
      const { rows, ...page } = await mixeds.page({ limit, offset: 2 })
      const text = JSON.stringify(rows.map((row) => recordToJson(Mixed, row, { secrets: 'omit' })))
      expect(await mixeds.pageJson({ limit, offset: 2 })).toStrictEqual({ text, size: rows.length, ...page })
    }
    const one = await mixeds.get(2)
    expect((await mixeds.getJson(2))?.text).toBe(JSON.stringify(one && recordToJson(Mixed, one, { secrets: 'omit' })))
    expect(await mixeds.getJson(99)).toBeNull()
    expect(await mixeds.getJson('x' as never)).toBeNull()
  })

  test('have integers that are more than a number holds as a number has them', async () => {
    const [counts, wides] = [new ModelAccessor(Count, 'counts'), new ModelAccessor(Wide, 'wides')]
    const storage = await open([counts, wides])
    const { id } = await counts.insert({ whole: 1 })
    await wides.insert({ whole: 1, wide: 9_007_199_254_740_993n })
    for (const whole of ['9007199254740991', '-9007199254740993', '9223372036854775807', '-9223372036854775808']) {
      await storage.transaction(
        async ({ kysely }) => {
          for (const table of ['counts', 'wides']) await sql`update ${sql.table(table)} set whole = ${sql.raw(whole)}`.execute(kysely)
        },
        { unaudited: true },
      )
      const text = JSON.stringify(await counts.get(id))
      expect(text).toBe(`{"id":1,"whole":${Number(whole)}}`)
      expect((await counts.getJson(id))?.text).toBe(text)
      expect((await counts.pageJson()).text).toBe(`[${text}]`)
      const wide = `{"id":1,"whole":${Number(whole)},"wide":"9007199254740993","real":null}`
      expect(await wides.get(1)).toMatchObject({ whole: Number(whole), wide: 9_007_199_254_740_993n })
      expect((await wides.getJson(1))?.text).toBe(wide)
      expect((await wides.pageJson()).text).toBe(`[${wide}]`)
    }
  })

  test('are read inside a transaction as it has written them', async () => {
    const plains = new ModelAccessor(Plain, 'plains')
    const storage = await open([plains])
    await storage.transaction(async () => {
      const { id } = await plains.insert({ text: 'inside' })
      expect(JSON.parse((await plains.getJson(id))?.text ?? '')).toMatchObject({ id, text: 'inside' })
      expect(await plains.pageJson({})).toMatchObject({ size: 1, total: 1 })
    })
    expect(await plains.pageJson({ limit: 0 })).toStrictEqual({ text: '[]', size: 0, total: 1 })
  })

  test('leave out what the caller may not read', async () => {
    const plains = new ModelAccessor(Plain, 'plains')
    const access = [defineAccess(Plain, { read: [{ flag: true }], fields: { price: { read: 'boss' }, Odd_Name: { read: 'boss' } } })]
    await open([plains], { access })
    const [shown, other] = await plains.insertMany([{ price: '1', flag: true, Odd_Name: 'x' }, { flag: false }])
    const principal = { id: 1, roles: ['worker'] }
    const row = await plains.get(shown?.id ?? 0, { principal })
    const text = JSON.stringify(row && recordToJson(Plain, row, { secrets: 'omit' }))
    expect(Object.keys(row ?? {})).not.toContain('price')
    expect((await plains.getJson(shown?.id ?? 0, { principal }))?.text).toBe(text)
    expect(await plains.pageJson({ principal })).toStrictEqual({ text: `[${text}]`, size: 1, total: 1 })
    expect(await plains.getJson(other?.id ?? 0, { principal })).toBeNull()
  })
})
