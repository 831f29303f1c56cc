import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { etagOf, ref, StrongroomClientError, ValidationError } from '../src/index.ts'
import { ada, rejectionOf, startServer } from './support.ts'

describeEngines('a batch', (engine) => {
  test('writes across components in one transaction, and refers to earlier results', async () => {
    const { client } = await startServer(engine)
    const old = await client.users.create({ name: 'Old', email: 'old@example.com' })
    const results = await client.batch([
      { method: 'create', component: 'users', body: ada },
      { method: 'create', component: 'posts', body: { title: 'Hello', owner_id: ref(0, 'id') } },
      { method: 'update', component: 'users', id: ref(0, 'id'), body: { age: 36 } },
      { method: 'save', component: 'countries', id: 'de', body: { name: 'Germany' } },
      { method: 'remove', component: 'users', id: old.id, ifMatch: etagOf(old) },
      { method: 'restore', component: 'users', id: old.id },
    ])
    expect(results.map(({ status }) => status)).toEqual([201, 201, 200, 201, 200, 200])
    expect(results[1].record.owner_id).toBe(results[0].record.id)
    expect(results[2].record.age).toBe(36)
    expect(results[5].restored).toBe(true)
    const { record, etag } = results[2]
    expect((await client.users.update(record.id, { age: 37 }, { ifMatch: etag })).age).toBe(37)
  })

  test('takes text that looks like a reference for text', async () => {
    const { client } = await startServer(engine)
    const titles = ['$0.title', '$$0.title', '$$$0.title', '$0', '$', '$x.y']
    const results = await client.batch([
      { method: 'create', component: 'posts', body: { title: 'first' } },
      ...titles.map((title) => ({ method: 'create', component: 'posts', body: { title } }) as const),
    ])
    expect(results.slice(1).map(({ record }) => record.title)).toEqual(titles)
  })

  test('fails as a whole, and says which operation failed', async () => {
    const { client } = await startServer(engine)
    const error = await rejectionOf(
      client.batch([
        { method: 'create', component: 'users', body: ada },
        { method: 'create', component: 'users', body: { name: '', email: 'x' } },
      ]),
    )
    expect(error).toBeInstanceOf(ValidationError)
    expect(error).toBeInstanceOf(StrongroomClientError)
    expect(error).toMatchObject({ operation: 1, code: 'validation_failed' })
    expect((await client.users.list()).total).toBe(0)
  })
})
