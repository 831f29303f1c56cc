import {
  type AnyModel,
  Bytes,
  DateTime,
  Decimal,
  defineModel,
  type InsertOf,
  Int64,
  Json,
  type JsonData,
  ModelAccessor,
  openStorage,
  PlainDate,
  Ref,
  type Storage,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exported, streamed } from './import-support.ts'

const Thing = defineModel(
  'things',
  {
    text: Type.String(),
    note: Type.Optional(Type.String()),
    choice: Type.Optional(Type.Enum(['a', ' "b",'])),
    level: Type.Optional(Type.Enum([-1, 2])),
    flag: Type.Optional(Type.Boolean()),
    ratio: Type.Optional(Type.Number()),
    count: Type.Optional(Type.Integer()),
    big: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 18, scale: 3 })),
    whole: Type.Optional(Decimal({ precision: 18, scale: 0 })),
    at: Type.Optional(DateTime()),
    day: Type.Optional(PlainDate()),
    data: Type.Optional(Json()),
    photo: Type.Optional(Bytes()),
    password: Type.Optional(Type.String()),
    like: Type.Optional(Ref((): AnyModel<string> => Thing, { onDelete: 'setNull' })),
  },
  { id: 'text', softDelete: true, stamps: true, secret: ['password'], immutable: ['choice'], readOnly: ['level'] },
)
const Key = defineModel('keys', { thing: Ref(() => Thing) }, { id: 'uuid' })
type NewThing = InsertOf<typeof Thing>

const hostile: readonly string[] = [
  ...['', ' ', ',', '"', '""', "'", '\\', ';', '\t', '\n', '\r', '\r\n', 'a\n\r\nb', '\ufeff', '\u2028', '\ud7ff\ue000😀', 'é', 'é', '漢'],
  ...[
    'null',
    'NULL',
    '[secret]',
    '=1+1',
    '-1',
    '+1',
    '@x',
    '0',
    '1e5',
    'true',
    '<svg onload=1>',
    "'; DROP TABLE things; --",
    'x'.repeat(70_000),
  ],
]

const text = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0')),
)
const digits = (most: number) => fc.bigInt({ min: -(10n ** BigInt(most)) + 1n, max: 10n ** BigInt(most) - 1n })
// What is no null is what the field takes.
const json = (fc.jsonValue() as fc.Arbitrary<JsonData>).filter(
  (value) => value !== null && !/\\u0000|__proto__|\\ud[89a-f]/i.test(JSON.stringify(value)),
)
/** Null where a field is left out. */
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 4 })
const thing = fc.record({
  text,
  note: optional(text),
  choice: optional(fc.constantFrom('a' as const, ' "b",' as const)),
  level: optional(fc.constantFrom(-1 as const, 2 as const)),
  flag: optional(fc.boolean()),
  ratio: optional(fc.double({ noNaN: true, noDefaultInfinity: true })),
  count: optional(fc.maxSafeInteger()),
  big: optional(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  price: optional(digits(15).map((value) => `${value}.125`)),
  whole: optional(digits(18).map(String)),
  at: optional(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })),
  day: optional(
    fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  ),
  data: optional(json),
  photo: optional(fc.uint8Array({ maxLength: 300 })),
  password: optional(text),
})
const things = fc.array(fc.tuple(thing, fc.nat(), fc.boolean()), { maxLength: 40 })

const makeAccessors = () => ({ things: new ModelAccessor(Thing, 'things'), keys: new ModelAccessor(Key, 'keys') })
type Opened = ReturnType<typeof makeAccessors> & { readonly storage: Storage }

const recordsOf = async (opened: Opened) => [await opened.things.all({ includeDeleted: true }), await opened.keys.all()]

/** Records of every kind, some deleted, which point to each other at random. */
async function fill(
  { things: accessor, keys, storage }: Opened,
  rows: readonly (readonly [Omit<NewThing, 'id'>, number, boolean])[],
): Promise<void> {
  // Ids are texts that a URL can carry; all others are hostile enough.
  const ids = rows.map((_row, index) => `${index}${hostile[index % hostile.length]?.slice(0, 100)}`)
  await storage.transaction(async () => {
    await accessor.insertMany(rows.map(([row, like], index) => ({ ...row, id: ids[index] ?? '', like: ids[like % ids.length] ?? null })))
    await keys.insertMany(ids.slice(0, 3).map((id) => ({ thing: id })))
    const deleted = ids.filter((_id, index) => rows[index]?.[2] && index > 2)
    await accessor.deleteMany(deleted)
    await accessor.insert({ id: 'late', text: 'points to a deleted one', like: deleted[0] ?? null })
  })
}

describeEngines('an export from here', (here) => {
  describeEngines('imported into a database there', (there) => {
    let source: Opened
    let target: Opened
    beforeAll(async () => {
      const open = async (url: string): Promise<Opened> => {
        const accessors = makeAccessors()
        const storage: unknown = await openStorage({ url, accessors: [accessors.keys, accessors.things] })
        // Nobody asks for its tables here.
        return { ...accessors, storage: storage as Storage }
      }
      source = await open(await here.freshUrl())
      target = await open(await there.freshUrl())
    })
    afterAll(async () => {
      await source.storage.close()
      await target.storage.close()
    })
    const transfer = async () => target.storage.import(streamed(await exported(source.storage)))
    const clear = async () => {
      for (const { things: accessor, keys } of [source, target]) {
        await keys.purgeMany({})
        await accessor.purgeMany(await accessor.find({ includeDeleted: true }).then((rows) => rows.map(({ id }) => id)))
      }
    }

    test('makes it equal, with values that are hard to carry', async () => {
      const rows = hostile.map(
        (value, index) => [{ text: value, note: value, password: value, data: { [value]: value } }, index * 7, index % 5 === 0] as const,
      )
      await fill(source, rows)
      expect(await transfer()).toMatchObject({ applied: true, errors: [] })
      expect(await recordsOf(target)).toEqual(await recordsOf(source))
      await clear()
    })

    test('makes it equal, whatever it holds', { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(things, async (rows) => {
          await clear()
          await fill(source, rows)
          expect(await transfer()).toMatchObject({ applied: true, errors: [] })
          expect(await recordsOf(target)).toEqual(await recordsOf(source))
        }),
        { numRuns: Number(process.env['RUNS'] ?? 2) },
      )
    })
  })
})
