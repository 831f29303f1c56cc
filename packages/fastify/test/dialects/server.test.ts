import { Default, defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { type BootstrapOptions, bootstrap } from '../../src/index.ts'
import { ada, addUser, closeAfterTest, startServer } from '../support.ts'

const dialects: BootstrapOptions['dialects'] = ['simple-rest', 'json-server']

/** Fields that are called like the words of the dialects. */
const Slot = defineModel('slots', {
  range: Type.String(),
  filter: Default(Type.String(), ''),
  sort: Default(Type.Integer(), 0),
  age: Default(Type.Integer(), 0),
  age_gte: Default(Type.Integer(), 0),
  q: Default(Type.String(), ''),
})

describeEngines('a server that knows the dialects', (engine) => {
  test('answers the whole list to a Range header, and lets scripts read the total', async () => {
    const server = await startServer(engine, { dialects })
    await addUser(server)
    const response = await server.app.inject({ url: '/users?sort=["id","ASC"]&range=[0,9]&filter={}', headers: { range: 'users=0-9' } })
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({ 'content-range': 'users 0-0/1', 'x-total-count': '1' })
    expect(response.headers['access-control-expose-headers']).toContain('Content-Range')
    const none = await server.app.inject('/users?filter={"name":"nobody"}&range=[0,9]')
    expect(none.headers['content-range']).toBe('users */0')
  })

  test('links to other pages in our own words', async () => {
    const server = await startServer(engine, { dialects })
    await server.users.insertMany([ada, { ...ada, email: 'b@example.com' }])
    const response = await server.app.inject('/users?_sort=id&_order=desc&_start=0&_end=1&name_like=A')
    const [, next = ''] = /<([^>]+)>; rel="next"/.exec(String(response.headers.link)) ?? []
    expect(next).toContain('/users?name[icontains]=A&sort=-id&limit=1&after=')
    expect((await server.app.inject(next)).json()).toMatchObject([{ id: 1 }])
  })

  test('takes the model’s own fields for what they are', async () => {
    const slots = new ModelAccessor(Slot, 'slots')
    const app = closeAfterTest(Fastify())
    await bootstrap(app, { accessors: [slots], databaseUrl: await engine.freshUrl(), dialects })
    await slots.insertMany([
      { range: '[0,0]', filter: '{}', age: 1, age_gte: 9, q: 'x', sort: 2 },
      { range: 'b', age: 9, age_gte: 1, sort: 1 },
    ])
    const ids = async (query: string) => (await app.inject(`/slots?${query}`)).json<{ id: number }[]>().map(({ id }) => id)
    expect(await ids('range=[0,0]')).toEqual([1])
    expect(await ids('filter={}')).toEqual([1])
    expect(await ids('age_gte=1')).toEqual([2])
    expect(await ids('age_gt=1')).toEqual([2])
    expect(await ids('q=x')).toEqual([1])
    expect(await ids('sort[eq]=1')).toEqual([2])
    expect(await ids('sort=sort')).toEqual([2, 1])
    expect(await ids('sort=["sort","ASC"]')).toEqual([2, 1])
  })

  test('refuses what no dialect has, and what only a dialect has where it is off', async () => {
    const server = await startServer(engine, { dialects: ['json-server'] })
    for (const query of ['_foo=1', 'boss_gte=1', 'range=[0,9]', 'filter={}', '_where={}', 'password_hash_like=x']) {
      const response = await server.app.inject(`/users?${query}`)
      expect(response.statusCode, query).toBe(400)
      expect(response.json()).toMatchObject({ code: 'invalid_query', detail: expect.stringContaining(query.split('=', 1)[0] ?? '') })
    }
    expect((await server.app.inject('/users/1?_embed=boss')).statusCode).toBe(400)
  })

  test('deletes with a type and no body, and takes no other body than JSON', async () => {
    const server = await startServer(engine)
    const { id } = await addUser(server)
    const request = { method: 'DELETE', url: `/users/${id}`, headers: { 'x-user': 'tester', 'content-type': 'text/plain' } } as const
    expect((await server.app.inject({ ...request, payload: 'body' })).statusCode).toBe(415)
    expect((await server.app.inject(request)).statusCode).toBe(200)
  })
})
