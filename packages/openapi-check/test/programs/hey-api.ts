import assert from 'node:assert/strict'
import { client } from './hey-api/client.gen.ts'
import {
  type PeopleRecord,
  peopleAggregate,
  peopleCreate,
  peopleDelete,
  peopleDeleteMany,
  peopleGet,
  peopleList,
  peoplePatch,
  peopleSave,
} from './hey-api/index.ts'

client.setConfig({ baseUrl: process.env['BASE_URL'] ?? '' })
const headers = { 'X-User': 'alice' }

const created = await peopleCreate({ headers, body: { name: 'Cyd', email: 'cyd@example.com', grade: 1, born: '1990-01-31' } })
assert(created.data && !Array.isArray(created.data))
const person: PeopleRecord = created.data
assert.equal(person.born, '1990-01-31')

const listed = await peopleList({ query: { 'id[in]': [person.id, 999], 'grade[gte]': 1, fields: ['id', 'email'], count: 'none' } })
assert.deepEqual(listed.data, [{ id: person.id, email: 'cyd@example.com' }])

const path = { id: person.id }
const read = await peopleGet({ path, query: { include: ['country_record'] } })
assert(read.data && 'country_record' in read.data)
assert.equal(read.data.country_record, null)

const etag = (await peopleGet({ path })).response?.headers.get('etag') ?? ''
const updated = await peoplePatch({ path, headers: { ...headers, 'If-Match': etag }, body: { name: 'Cydney' } })
assert.equal(updated.data?.name, 'Cydney')
const stale = await peoplePatch({ path, headers: { ...headers, 'If-Match': etag }, body: { name: 'Nobody' } })
assert.equal(stale.error?.code, 'precondition_failed')

assert(updated.data)
const saved = await peopleSave({ path, headers, body: { ...updated.data, weight: 70 } })
assert.equal(saved.data?.weight, 70)

const groups = await peopleAggregate({ query: { measures: ['count', 'max:born'], 'id[eq]': [person.id] } })
assert.deepEqual(groups.data, [{ count: 1, max_born: '1990-01-31' }])

const removed = await peopleDelete({ path, headers })
assert.equal(removed.data?.status, 'deleted')
const many = await peopleDeleteMany({ headers, query: { email: ['nobody@example.com'], at_most: 5 } })
assert.equal(many.data?.count, 0)
const missing = await peopleGet({ path })
assert.equal(missing.error?.code, 'not_found')

export async function wrongUses(): Promise<void> {
  // @ts-expect-error: the actor has to be named
  await peopleCreate({ body: { name: 'Ada', email: 'ada@example.com', grade: null } })
  // @ts-expect-error: there is no such grade
  await peopleCreate({ headers, body: { name: 'Ada', email: 'ada@example.com', grade: 3 } })
  // @ts-expect-error: a change of many needs a cap
  await peopleDeleteMany({ headers, query: { email: ['nobody@example.com'] } })
  // @ts-expect-error: a secret cannot be asked for
  await peopleList({ query: { password_hash: ['x'] } })
}
