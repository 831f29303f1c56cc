import { type AnyModel, Default, defineModel, Json, Ref } from '@strongroom/core'
import { Type } from 'typebox'
import { expectTypeOf, test } from 'vitest'
import { createClient, type IdOf, type NewOf, type PatchOf, type RecordOf, ref } from '../../src/index.ts'
import { Country, type Post, User } from '../support.ts'

const client = createClient<{ users: typeof User; posts: typeof Post; countries: typeof Country }>({ baseUrl: 'http://127.0.0.1' })

interface UserRecord {
  id: number
  name: string
  email: string
  role: 'operator' | 'admin'
  age: number | null
  active: boolean
  balance: string | null
  visits: string
  seen: string | null
  born: string | null
  photo: string | null
  settings: { theme: string } | null
  level: number
  code: string | null
  created_at: string
  updated_at: string
  created_by: string | null
  updated_by: string | null
  deleted_at: string | null
}

test('a record is in JSON form, with all that the server answers and without secrets', () => {
  expectTypeOf<RecordOf<typeof User>>().toEqualTypeOf<UserRecord>()
  expectTypeOf<RecordOf<typeof Post>>().toEqualTypeOf<{ id: string; title: string; owner_id: number | null }>()
  expectTypeOf<RecordOf<typeof Country>>().toEqualTypeOf<{ code: string; name: string; limit: number }>()
  expectTypeOf<IdOf<typeof User>>().toEqualTypeOf<number>()
  expectTypeOf<IdOf<typeof Country>>().toEqualTypeOf<string>()
})

test('a new record has secrets, and nothing that the server keeps', () => {
  expectTypeOf<NewOf<typeof User>>().toEqualTypeOf<{
    name: string
    email: string
    role?: 'operator' | 'admin'
    age?: number | null
    active?: boolean
    balance?: string | null
    visits?: string
    seen?: string | null
    born?: string | null
    photo?: string | null
    settings?: { theme: string } | null
    code?: string | null
    password_hash?: string | null
  }>()
  expectTypeOf<NewOf<typeof Post>>().toEqualTypeOf<{ title: string; owner_id?: number | null }>()
  expectTypeOf<NewOf<typeof Country>>().toEqualTypeOf<{ code: string; name: string; limit?: number }>()
})

test('a patch has no immutable field', () => {
  expectTypeOf<keyof PatchOf<typeof User>>().toEqualTypeOf<
    'name' | 'email' | 'role' | 'age' | 'active' | 'balance' | 'visits' | 'seen' | 'born' | 'photo' | 'settings' | 'password_hash'
  >()
  expectTypeOf<PatchOf<typeof Post>>().toEqualTypeOf<{ title?: string; owner_id?: number | null }>()
})

test('enums with defaults, JSON of any shape and circles of references keep their types', () => {
  const Category = defineModel('categories', {
    kind: Default(Type.Enum([1, 2]), 1),
    extra: Type.Optional(Json()),
    parent_id: Type.Optional(Ref((): AnyModel<number> => Category)),
  })
  expectTypeOf<RecordOf<typeof Category>['kind']>().toEqualTypeOf<1 | 2>()
  expectTypeOf<RecordOf<typeof Category>['parent_id']>().toEqualTypeOf<number | null>()
  const categories = createClient<{ categories: typeof Category }>({ baseUrl: '' }).categories
  const read = () => categories.get(1, { fields: ['id'], include: { parent: true } })
  expectTypeOf<Awaited<ReturnType<typeof read>>>().toEqualTypeOf<{
    id: number
    parent: Readonly<Record<string, unknown>> | null
  } | null>()
})

test('fields and include give exactly that shape', () => {
  const whole = () => client.users.list()
  expectTypeOf<Awaited<ReturnType<typeof whole>>['records']>().toEqualTypeOf<UserRecord[]>()
  const some = () => client.posts.list({ fields: ['id', 'title'], include: { owner: true } })
  expectTypeOf<Awaited<ReturnType<typeof some>>['records']>().toEqualTypeOf<{ id: string; title: string; owner: UserRecord | null }[]>()
  const many = () => client.users.get(1, { fields: ['id'], include: { posts: true } })
  expectTypeOf<Awaited<ReturnType<typeof many>>>().toEqualTypeOf<{
    id: number
    posts: { id: string; title: string; owner_id: number | null }[]
  } | null>()
  const stream = () => client.users.stream({ fields: ['email'] })
  expectTypeOf<ReturnType<typeof stream>>().toEqualTypeOf<AsyncGenerator<{ email: string }, void, undefined>>()
})

test('an aggregate has its groups and measures', () => {
  const roles = () => client.users.aggregate({ groupBy: ['role'], measures: ['count', 'avg:age', 'sum:visits', 'max:seen'] })
  expectTypeOf<Awaited<ReturnType<typeof roles>>>().toEqualTypeOf<
    { role: 'operator' | 'admin'; count: number; avg_age: number | null; sum_visits: string | null; max_seen: string | null }[]
  >()
})

test('writes answer one record for one, and many for many', () => {
  const one = () => client.posts.create({ title: 'Hello' })
  const many = () => client.posts.create([{ title: 'Hello' }])
  expectTypeOf<Awaited<ReturnType<typeof one>>>().toEqualTypeOf<RecordOf<typeof Post>>()
  expectTypeOf<Awaited<ReturnType<typeof many>>>().toEqualTypeOf<RecordOf<typeof Post>[]>()
})

test('a batch answers a result for each operation', () => {
  const batch = () =>
    client.batch([
      { method: 'create', component: 'users', body: { name: 'Ada', email: 'ada@example.com' } },
      { method: 'create', component: 'posts', body: { title: 'Hello', owner_id: ref(0, 'id') } },
      { method: 'restore', component: 'users', id: 7 },
    ])
  type Results = Awaited<ReturnType<typeof batch>>
  expectTypeOf<Results[0]['record']>().toEqualTypeOf<UserRecord>()
  expectTypeOf<Results[0]['etag']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<Results[1]['record']['title']>().toEqualTypeOf<string>()
  expectTypeOf<Results[2]>().toEqualTypeOf<{ readonly status: number; readonly restored: boolean }>()
})

test('wrong reads do not compile', () => {
  // @ts-expect-error there is no such component
  const component = () => client.people.list()
  // @ts-expect-error the id is a number
  const id = () => client.users.get('7')
  // @ts-expect-error there is no such field
  const field = () => client.users.list({ where: { nmae: 'Ada' } })
  // @ts-expect-error a secret field cannot be asked
  const secret = () => client.users.list({ where: { password_hash: 'x' } })
  // @ts-expect-error there is no such role
  const value = () => client.users.list({ where: { role: 'owner' } })
  // @ts-expect-error there is no such comparison
  const comparison = () => client.users.list({ where: { age: { above: 3 } } })
  // @ts-expect-error a number has no beginning
  const text = () => client.users.list({ where: { age: { startsWith: '3' } } })
  // @ts-expect-error a 64-bit integer is text, but none to search in
  const large = () => client.users.list({ where: { visits: { contains: '3' } } })
  // @ts-expect-error there is no such field to sort by
  const order = () => client.users.list({ orderBy: '-nmae' })
  // @ts-expect-error there is no such field to answer
  const fields = () => client.users.list({ fields: ['nmae'] })
  // @ts-expect-error nothing of this name can be included
  const include = () => client.posts.list({ include: { author: true } })
  // @ts-expect-error text has no average
  const measure = () => client.users.aggregate({ measures: ['average:age'] })
  // @ts-expect-error names the option wrong
  const option = () => client.users.list({ order: 'name' })
  void [component, id, field, secret, value, comparison, text, large, order, fields, include, measure, option]
})

test('wrong writes do not compile', () => {
  // @ts-expect-error email is missing
  const incomplete = () => client.users.create({ name: 'Ada' })
  // @ts-expect-error stamps are kept by the server
  const stamped = () => client.users.create({ name: 'Ada', email: 'a@example.com', created_at: '2026-01-01T00:00:00Z' })
  // @ts-expect-error integer ids are made by the server
  const numbered = () => client.users.create({ id: 7, name: 'Ada', email: 'a@example.com' })
  // @ts-expect-error text ids are given
  const unnamed = () => client.countries.create({ name: 'Germany' })
  // @ts-expect-error a 64-bit integer travels as text
  const large = () => client.users.create({ name: 'Ada', email: 'a@example.com', visits: 7n })
  // @ts-expect-error an instant travels as text
  const instant = () => client.users.update(7, { seen: new Date() })
  // @ts-expect-error level is read-only
  const readOnly = () => client.users.update(7, { level: 2 })
  // @ts-expect-error code is immutable
  const immutable = () => client.users.update(7, { code: 'x' })
  // @ts-expect-error name is not nullable
  const nameless = () => client.users.update(7, { name: null })
  // @ts-expect-error a change of many needs a cap
  const uncapped = () => client.users.updateMany({ role: 'admin' }, { age: 1 })
  // @ts-expect-error there is no such field in the component
  const strange = () => client.batch([{ method: 'update', component: 'posts', id: 'x', body: { name: 'x' } }])
  // @ts-expect-error there is no such component
  const elsewhere = () => client.batch([{ method: 'remove', component: 'people', id: 7 }])
  void [incomplete, stamped, numbered, unnamed, large, instant, readOnly, immutable, nameless, uncapped, strange, elsewhere]
})

test('something that is no model is refused', () => {
  // @ts-expect-error a string is no model
  const wrong = () => createClient<{ users: string }>({ baseUrl: '' })
  void wrong
  void [User, Country]
})

test('the past has the types of the model', () => {
  const diff = () => client.users.diff(1, { from: new Date() })
  expectTypeOf<NonNullable<Awaited<ReturnType<typeof diff>>>['to']>().toEqualTypeOf<UserRecord | null>()
  expectTypeOf<NonNullable<Awaited<ReturnType<typeof diff>>>['changes'][number]['field']>().toEqualTypeOf<keyof UserRecord>()
  expectTypeOf(client.users.revert).parameter(1).toHaveProperty('to').toEqualTypeOf<Date | string | number>()
  expectTypeOf<Awaited<ReturnType<typeof client.users.revert>>>().toEqualTypeOf<UserRecord>()
  const then = () => client.users.get(1, { at: '2026-01-31T12:00:00Z', fields: ['name'] })
  expectTypeOf<Awaited<ReturnType<typeof then>>>().toEqualTypeOf<{ name: string } | null>()
  // @ts-expect-error: a revert says where to
  void (() => client.users.revert(1, {}))
  // @ts-expect-error: a record that was read whole is one of the present
  void (() => client.users.refresh({} as UserRecord, { at: new Date() }))
})
