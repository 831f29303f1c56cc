import assert from 'node:assert/strict'
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.ts'

const client = createClient<paths>({ baseUrl: process.env['BASE_URL'] ?? '' })
const header = { 'X-User': 'alice' }

const created = await client.POST('/people', {
  params: { header },
  body: { name: 'Ada', email: 'ada@example.com', grade: null, visits: '9007199254740993', settings: { theme: 'dark' } },
})
assert(created.data && !Array.isArray(created.data))
const person: components['schemas']['people.record'] = created.data
assert.equal(person.role, 'operator')
assert.equal(created.response.headers.get('location'), `/people/${person.id}`)
await client.POST('/people', { params: { header }, body: { name: 'Bea', email: 'bea@example.com', role: 'admin', grade: 2 } })

const listed = await client.GET('/people', {
  params: { query: { role: ['operator'], 'name[istarts_with]': 'a', 'grade[is_null]': true, sort: ['-name', 'id'], limit: 5 } },
})
assert.deepEqual(
  listed.data?.map((record) => record.email),
  ['ada@example.com'],
)

const path = { id: person.id }
const read = await client.GET('/people/{id}', { params: { path, query: { fields: ['id', 'name'] } } })
assert.deepEqual(read.data, { id: person.id, name: 'Ada' })

const updated = await client.PATCH('/people/{id}', { params: { header, path }, body: { weight: 60.5, settings: { size: 3 } } })
assert.equal(updated.data?.weight, 60.5)
assert.deepEqual(updated.data.settings, { theme: 'dark', size: 3 })

const groups = await client.GET('/people/aggregate', { params: { query: { group_by: ['role'], measures: ['count', 'sum:visits'] } } })
assert.deepEqual(groups.data?.[1], { role: 'operator', count: 1, sum_visits: '9007199254740993' })

const batch = await client.POST('/batch', {
  params: { header },
  body: {
    operations: [
      { method: 'create', component: 'devices', body: { serial: 'AB-1234' } },
      { method: 'patch', component: 'people', id: person.id, body: { device: '$0.id' } },
    ],
  },
})
assert.equal(batch.data?.results.length, 2)

const removed = await client.DELETE('/people/{id}', { params: { header, path } })
// one that was erased is answered without its record
assert(removed.data?.status === 'deleted')
assert.equal(removed.data.record.name, 'Ada')
const missing = await client.GET('/people/{id}', { params: { path } })
assert.equal(missing.error?.code, 'not_found')
assert.equal(missing.response.status, 404)

export async function wrongUses(): Promise<void> {
  // @ts-expect-error: there is no such path
  await client.GET('/persons')
  // @ts-expect-error: the actor has to be named
  await client.POST('/people', { body: { name: 'Ada', email: 'ada@example.com', grade: null } })
  // @ts-expect-error: a person has a name
  await client.POST('/people', { params: { header }, body: { email: 'ada@example.com', grade: null } })
  // @ts-expect-error: there is no such role
  await client.PATCH('/people/{id}', { params: { header, path }, body: { role: 'king' } })
  // @ts-expect-error: there is no such field to sort by
  await client.GET('/people', { params: { query: { sort: ['colour'] } } })
  // @ts-expect-error: a secret is never answered
  person.password_hash
}
