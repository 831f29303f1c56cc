import { Type } from 'typebox'
import { expectTypeOf, test } from 'vitest'
import { DateTime, Default, defineModel, ModelAccessor, openStorage } from '../../src/index.ts'

const Task = defineModel('tasks', {
  title: Type.String(),
  state: Default(Type.Enum(['open', 'done']), 'open'),
  due: Type.Optional(DateTime()),
})
const tasks = new ModelAccessor(Task, 'tasks')

test('storage.kysely and session.kysely know the tables and columns of the models', async () => {
  const storage = await openStorage({ url: 'sqlite::memory:', accessors: [tasks] })
  const rows = await storage.kysely.selectFrom('tasks').select(['id', 'state', 'due']).execute()
  expectTypeOf(rows).toEqualTypeOf<{ id: number; state: 'open' | 'done'; due: string | null }[]>()
  // @ts-expect-error there is no such table
  storage.kysely.selectFrom('task')
  await storage.transaction(async (session) => {
    const titles = await session.kysely.selectFrom('tasks').select('title').execute()
    expectTypeOf(titles).toEqualTypeOf<{ title: string }[]>()
  })
})

test('a hook sees its record by the row type of the model', () => {
  tasks.beforeUpdate(({ record, previous, session }) => {
    expectTypeOf(record.state).toEqualTypeOf<'open' | 'done'>()
    expectTypeOf(previous?.due).toEqualTypeOf<Date | null | undefined>()
    session.kysely.selectFrom('tasks').select('title')
  })
})

test('wrong uses do not compile', () => {
  // @ts-expect-error a field that is not there
  tasks.find({ where: { name: 'x' } })
  // @ts-expect-error a value that no record can have
  tasks.find({ where: { state: 'closed' } })
  // @ts-expect-error a required field is missing
  tasks.insert({})
  // @ts-expect-error a sort by nothing
  tasks.find({ orderBy: '-name' })
})
