import { defineAccess, defineModel, ModelAccessor, openStorage, type Principal } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import fc from 'fast-check'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'

const Note = defineModel(
  'notes',
  { tenant: Type.String(), title: Type.String(), size: Type.Integer(), mood: Type.Optional(Type.String()) },
  { softDelete: true, tenant: 'tenant' },
)

const size = fc.integer({ min: 0, max: 4 })
const title = fc.constantFrom('a', 'b', 'c')
const { condition } = fc.letrec<{ condition: object }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    fc.record({ size }),
    fc.record({
      size: fc.oneof(fc.record({ ne: size }), fc.record({ gte: size }), fc.record({ in: fc.array(size, { minLength: 1, maxLength: 5 }) })),
    }),
    fc.record({
      title: fc.oneof(title, fc.record({ contains: title }), fc.record({ notIn: fc.array(title, { minLength: 1, maxLength: 3 }) })),
    }),
    fc.record({ mood: fc.oneof(fc.constant(null), fc.record({ ne: title }), fc.record({ isNull: fc.boolean() })) }),
    fc.record({ size, title }),
    fc.record({ or: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ and: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
}))

/** What a caller may read: everything, nothing, or what holds a condition. */
const rule = fc.oneof(fc.boolean(), condition)

describeEngines('a record that is read by its id under rules', (database) => {
  const notes = new ModelAccessor(Note, 'notes')
  /** What each caller may read, as the rules' functions answer. */
  const allowed = new Map<Principal['id'], boolean | object>()
  const access = [
    defineAccess(Note, {
      read: [({ id }) => (allowed.get(`${id} too`) ?? false) as boolean, ({ id }) => (allowed.get(id) ?? false) as boolean],
    }),
  ]
  let close: () => Promise<void>
  let ids: readonly number[]

  beforeAll(async () => {
    const storage = await openStorage({ url: await database.freshUrl(), accessors: [notes], access })
    close = () => storage.close()
    const rows = Array.from({ length: 12 }, (_, index) => ({
      tenant: index % 2 === 0 ? 'north' : 'south',
      title: 'abc'.charAt(index % 3),
      size: index % 5,
      ...(index % 4 !== 0 && { mood: 'abc'.charAt(index % 3) }),
    }))
    ids = (await notes.insertMany(rows)).map(({ id }) => id)
    await notes.delete(ids[5] ?? 0)
  })

  afterAll(() => close())

  test('is there where a list has it, whoever read it before', async () => {
    const callers = fc.array(fc.record({ rule, other: rule, tenant: fc.constantFrom('north', 'south', '*') }), {
      minLength: 2,
      maxLength: 5,
    })
    await fc.assert(
      fc.asyncProperty(callers, async (given) => {
        allowed.clear()
        const principals = given.map(({ rule: first, other, tenant }, index): Principal => {
          allowed.set(`caller ${index}`, first)
          allowed.set(`caller ${index} too`, other)
          return { id: `caller ${index}`, tenant }
        })
        for (const principal of principals) {
          const listed = await notes.find({ principal, orderBy: 'id' }).catch(() => undefined)
          for (const id of ids) {
            if (!listed) {
              await expect(notes.get(id, { principal })).rejects.toThrow()
              await expect(notes.getJson(id, { principal })).rejects.toThrow()
              continue
            }
            const expected = listed.find((note) => note.id === id) ?? null
            expect(await notes.get(id, { principal })).toEqual(expected)
            const json = await notes.getJson(id, { principal })
            expect(json && JSON.parse(json.text)).toEqual(expected && JSON.parse(JSON.stringify(expected)))
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})
