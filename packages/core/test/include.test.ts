import { type AnyModel, defineModel, type IncludesOf, ModelAccessor, Ref } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, expect, expectTypeOf, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Country = defineModel('countries', { name: Type.String() }, { id: { name: 'code', type: 'text' } })
const Person = defineModel('people', { name: Type.String(), country_code: Type.Optional(Ref(() => Country)) }, { softDelete: true })
const Task = defineModel(
  'tasks',
  {
    title: Type.String(),
    owner_id: Ref(() => Person),
    reviewer: Type.Optional(Ref(() => Person)),
    parent_id: Type.Optional(Ref((): AnyModel<number> => Task)),
    secret_note: Type.Optional(Type.String()),
    judge_id: Type.Optional(Ref(() => Country)),
  },
  { secret: ['secret_note', 'judge_id'] },
)

describeEngines('fields and include', (engine) => {
  const open = storagesOn(engine, 'suite')
  const countries = new ModelAccessor(Country, 'countries')
  const people = new ModelAccessor(Person, 'people')
  const tasks = new ModelAccessor(Task, 'tasks')
  beforeAll(async () => {
    await open([countries, people, tasks])
    await countries.insert({ code: 'DE', name: 'Germany' })
    await people.insertMany([{ name: 'Ada', country_code: 'DE' }, { name: 'Bob' }, { name: 'Gone' }])
    await people.delete(3)
    await tasks.insertMany([
      { title: 'first', owner_id: 1, reviewer: 2 },
      { title: 'second', owner_id: 1, parent_id: 1 },
      { title: 'third', owner_id: 3 },
    ])
  })

  test('fields leaves only those, in the order in which they were asked for', async () => {
    const rows = await people.find({ fields: ['name', 'id'] })
    expectTypeOf(rows).toEqualTypeOf<{ name: string; id: number }[]>()
    expect(rows.map((row) => JSON.stringify(row))).toEqual(['{"name":"Ada","id":1}', '{"name":"Bob","id":2}'])
  })

  test('include reads along what references lead to, and null where it is nothing that lives', async () => {
    const rows = await tasks.find({ fields: ['title'], include: { owner: true, reviewer_record: true } })
    type PersonRow = { id: number; name: string; country_code: string | null; deleted_at: Date | null }
    expectTypeOf(rows).toEqualTypeOf<{ title: string; owner: PersonRow | null; reviewer_record: PersonRow | null }[]>()
    expect(rows).toEqual([
      { title: 'first', owner: expect.objectContaining({ name: 'Ada' }), reviewer_record: expect.objectContaining({ name: 'Bob' }) },
      { title: 'second', owner: expect.objectContaining({ name: 'Ada' }), reviewer_record: null },
      { title: 'third', owner: null, reviewer_record: null },
    ])
  })

  test('a reference to a model with a key of another name is called after it', async () => {
    expect(await people.get(1, { fields: ['name'], include: { country: true } })).toEqual({
      name: 'Ada',
      country: { code: 'DE', name: 'Germany' },
    })
  })

  test('include reads along the records that point here, by their component, and by their field where two do', async () => {
    const [ada, bob] = await people.find({ fields: ['name'], include: { tasks_by_owner_id: true, tasks_by_reviewer: true } })
    expect(ada?.['tasks_by_owner_id']).toHaveLength(2)
    expect(bob?.['tasks_by_reviewer']).toEqual([expect.objectContaining({ title: 'first' })])
    const [country] = await countries.find({ include: { people: true } })
    expect(country?.['people']).toEqual([expect.objectContaining({ name: 'Ada' })])
  })

  test('a cap counts the records that point to all that are read; past it the read is refused with what to do instead', async () => {
    const include = { tasks_by_owner_id: true } as const
    const [ada] = await people.find({ include, includeAtMost: 2 })
    expect(ada?.['tasks_by_owner_id']).toMatchObject([{ id: 1 }, { id: 2 }])
    expect(await tasks.find({ include: { owner: true }, includeAtMost: 0 })).toHaveLength(3)
    const message = '"tasks_by_owner_id" in include would read along more than 1 records. '
    expect(await rejectionOf(people.page({ include, includeAtMost: 1 }))).toMatchObject({
      code: 'invalid_query',
      message: `${message}Ask for fewer records at a time, or list tasks page by page, with a condition on owner_id.`,
    })
    expect(await rejectionOf(people.get(1, { include, includeAtMost: 1 }))).toMatchObject({
      message: `${message}List tasks page by page, with a condition on owner_id.`,
    })
    expect(await rejectionOf(people.find({ include, includeAtMost: -1 }))).toMatchObject({ code: 'invalid_query' })
  })

  test('a model that points to itself includes both ways', async () => {
    const [first, second] = await tasks.find({ fields: ['id'], include: { parent: true, tasks: true } })
    expect(first).toMatchObject({ id: 1, parent: null, tasks: [{ title: 'second' }] })
    expect(second).toMatchObject({ id: 2, parent: { title: 'first' }, tasks: [] })
  })

  test('a page walks on with fields that leave its sort fields out', async () => {
    const first = await tasks.page({ orderBy: '-title', limit: 2, fields: ['owner_id'] })
    expect(first.rows).toEqual([{ owner_id: 3 }, { owner_id: 1 }])
    const rest = await tasks.page({ orderBy: '-title', limit: 2, fields: ['owner_id'], ...(first.next && { after: first.next }) })
    expect(rest.rows).toEqual([{ owner_id: 1 }])
  })

  test('what cannot be included, or is no field, is refused by name; a secret field like an unknown one', async () => {
    expect(await rejectionOf(tasks.find({ include: { boss: true } }))).toMatchObject({
      code: 'invalid_query',
      message: expect.stringContaining('boss'),
    })
    const secret = await rejectionOf(tasks.find({ fields: ['secret_note'] }))
    const unknown = await rejectionOf(tasks.find({ fields: ['secret_nota' as 'secret_note'] }))
    expect(String(secret).replace('note', 'nota')).toBe(String(unknown))
  })

  test('a secret reference cannot be followed from either end, and is none of the names', async () => {
    expectTypeOf<keyof IncludesOf<typeof Task>>().toEqualTypeOf<'owner' | 'reviewer_record' | 'parent'>()
    expect(tasks.inclusions().map(({ name }) => name)).toEqual(['owner', 'reviewer_record', 'parent', 'tasks'])
    expect(countries.inclusions().map(({ name }) => name)).toEqual(['people'])
    const secret = await rejectionOf(tasks.find({ include: { judge_id_record: true } }))
    const unknown = await rejectionOf(tasks.find({ include: { judge_if_record: true } }))
    expect(String(secret).replace('judge_id', 'judge_if')).toBe(String(unknown))
  })
})
