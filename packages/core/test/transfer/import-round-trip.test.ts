import type { JsonData } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hostile, hostileId, hostileThings, type NewThing, type OpenThings, openThings } from './hostile-things.ts'
import { csv, exported, streamed } from './import-support.ts'

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

const recordsOf = async (opened: OpenThings) => [await opened.things.all({ includeDeleted: true }), await opened.keys.all()]

/** Records of every kind, some deleted, which point to each other at random. */
async function fill(
  { things: accessor, keys, storage }: OpenThings,
  rows: readonly (readonly [NewThing, number, boolean])[],
): Promise<void> {
  const ids = rows.map((_row, index) => hostileId(index))
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
    let source: OpenThings
    let target: OpenThings
    beforeAll(async () => {
      source = await openThings(await here.freshUrl())
      target = await openThings(await there.freshUrl())
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
      const rows = hostileThings.map((row, index) => [row, index * 7, index % 5 === 0] as const)
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

    test('has no NUL in it: a cell with one is an error of its row', async () => {
      const { applied, errors } = await target.storage.import({ things: csv('id,text', 'a,fine', 'b,not\0fine') })
      expect({ applied, errors }).toEqual({
        applied: false,
        errors: [{ file: 'things', line: 3, field: 'text', message: expect.stringContaining('NUL') }],
      })
    })
  })
})
