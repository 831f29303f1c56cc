import Fastify from 'fastify'
import { Type } from 'typebox'
import { type NewHandUser, openHandStore } from '../hand-store.ts'
import { announce } from './announce.ts'

/** The server that a user would write by hand: `node hand.ts DATABASE [FULL|NORMAL] [own|shared]`, one commit for each write or shared ones. */
const [, , database = '', synchronous = 'FULL', commits = 'own'] = process.argv
const store = openHandStore(database, { synchronous: synchronous === 'NORMAL' ? 'NORMAL' : 'FULL' })
const writes = commits === 'shared' ? store.shared : store
const app = Fastify()
const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  email: Type.String({ minLength: 3, maxLength: 200 }),
  age: Type.Integer({ minimum: 0, maximum: 150 }),
}
const body = Type.Object(fields, { additionalProperties: false })
const patch = Type.Partial(body)
const params = Type.Object({ id: Type.Integer() })
const actorOf = (headers: Record<string, unknown>): string => String(headers['x-user'])

app.get<{ Params: { id: number } }>('/users/:id', { schema: { params } }, async (request, reply) => {
  return store.get(request.params.id) ?? reply.code(404).send({ message: 'not found' })
})
app.get<{ Querystring: { limit?: string; offset?: string } }>('/users', async (request) =>
  store.list(Number(request.query.limit ?? 50), Number(request.query.offset ?? 0)),
)
app.post<{ Body: NewHandUser }>('/users', { schema: { body } }, async (request, reply) => {
  const user = await writes.insert(request.body, actorOf(request.headers))
  return reply.code(201).header('location', `/users/${user.id}`).send(user)
})
app.put<{ Params: { id: number }; Body: Partial<NewHandUser> }>(
  '/users/:id',
  { schema: { params, body: patch } },
  async (request, reply) => {
    return (
      (await writes.update(request.params.id, request.body, actorOf(request.headers))) ?? reply.code(404).send({ message: 'not found' })
    )
  },
)
app.delete<{ Params: { id: number } }>('/users/:id', { schema: { params } }, async (request, reply) => {
  const record = await writes.delete(request.params.id, actorOf(request.headers))
  return record ? { status: 'deleted', id: record.id, record } : reply.code(404).send({ message: 'not found' })
})

announce(await app.listen({ port: 0, host: '127.0.0.1' }), async () => {
  await app.close()
  store.close()
})
