import { Bytes, Decimal, defineModel, Int64, Json, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Sample = defineModel(
  'samples',
  {
    text: Type.Optional(Type.String()),
    flag: Type.Optional(Type.Boolean()),
    real: Type.Optional(Type.Number()),
    wide: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 12, scale: 3 })),
    data: Type.Optional(Json()),
    bytes: Type.Optional(Bytes({ maxLength: 100 })),
  },
  { unique: [['text']] },
)

/** What a list would take for its own: quotes, braces, commas, the word NULL, and nothing at all. */
const text = fc.oneof(
  fc.constantFrom('', 'NULL', 'null', '{}', '{"a"}', '"', '\\', '\\\\', '\\"', ',', ' ', ' a ', '\n', '\t', "'", '\\N', '\\x00', '$1'),
  fc.string({ unit: 'grapheme' }).filter((made) => !made.includes('\0')),
)
const maybe = <T>(made: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(made, { nil: null })
const sample = fc.record({
  text: maybe(text),
  flag: maybe(fc.boolean()),
  real: maybe(fc.double({ noNaN: true, noDefaultInfinity: true }).map((made) => made + 0)),
  wide: maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  price: maybe(fc.integer({ min: -999_999, max: 999_999 }).map((made) => `${made}.125`)),
  data: maybe(fc.jsonValue({ maxDepth: 2 }).filter((made) => made !== null && !JSON.stringify(made).includes('\\u0000'))),
  bytes: maybe(fc.uint8Array({ maxLength: 40 })),
})

describeEngines('many records at once', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const samples = new ModelAccessor(Sample, 'samples')
    return { samples, storage: await open([samples]) }
  }

  test('are stored as single ones would be, whatever is in them', async () => {
    const { samples, storage } = await start()
    const records = fc.array(sample, { minLength: 2, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const unique = given.map((record, index) => ({ ...record, text: record.text === null ? null : `${record.text}${index}` }))
        await storage
          .transaction(async () => {
            const together = await samples.insertMany(unique as never)
            const stored = await samples.find({ where: { id: { in: together.map(({ id }) => id) } }, limit: 100 })
            await samples.purgeMany(stored.map(({ id }) => id))
            const alone = []
            for (const record of unique) alone.push(await samples.insert(record as never))
            const withoutId = (rows: readonly { readonly id: number }[]) => rows.map(({ id: _id, ...rest }) => rest)
            expect(withoutId(stored)).toEqual(withoutId(alone))
            expect(withoutId(together)).toEqual(withoutId(alone))
            const entries = await storage.audit.find({ operation: 'create', limit: 2 * unique.length })
            const images = entries.map(({ after }) => ({ ...after, id: 0 })).toReversed()
            expect(images.slice(0, unique.length)).toEqual(images.slice(unique.length))
            throw new Error('done')
          })
          .catch((error: unknown) => {
            if (!(error instanceof Error) || error.message !== 'done') throw error
          })
      }),
      { numRuns: 25 },
    )
  })

  test('have their ids in their order, an entry each, and a log that proves itself', async () => {
    const { samples, storage } = await start()
    const records = await samples.insertMany(Array.from({ length: 2_345 }, (_, index) => ({ text: `number ${index}` })))
    expect(records.map(({ id, text: name }) => `${id} ${name}`)).toEqual(records.map((_, index) => `${index + 1} number ${index}`))
    expect(await samples.count()).toBe(2_345)
    await storage.audit.waitUntilSealed()
    expect(await storage.audit.count({ operation: 'create' })).toBe(2_345)
    expect(await storage.audit.verify()).toMatchObject({ ok: true })
    expect((await storage.audit.find({ record_id: 2_000, limit: 1 }))[0]?.after).toMatchObject({ text: 'number 1999' })
  })

  test('may be too large to travel together', async () => {
    const { samples } = await start()
    const large = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(3_000_000))
    const records = await samples.insertMany(large.map((data) => ({ data })))
    expect(records.map(({ id }) => id)).toEqual([1, 2, 3, 4])
    const stored = await samples.find({ orderBy: ['id'] })
    expect(stored.map(({ data }) => large.indexOf(String(data)))).toEqual([0, 1, 2, 3])
  })

  test('are none of them there where one has what another one has', async () => {
    const { samples, storage } = await start()
    await samples.insert({ text: 'number 1500' })
    const many = Array.from({ length: 2_000 }, (_, index) => ({ text: `number ${index}` }))
    expect(await rejectionOf(samples.insertMany(many))).toMatchObject({ code: 'unique_conflict', fields: ['text'] })
    expect(await samples.count()).toBe(1)
    expect(await storage.audit.count({ operation: 'create' })).toBe(1)
  })
})
