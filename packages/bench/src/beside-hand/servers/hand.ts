import Fastify from 'fastify'
import { Type } from 'typebox'
import { HandPostgresStore } from '../../postgres/hand-store.ts'
import { type HandUser, type NewHandUser, openHandStore } from '../hand-store.ts'
import { poolSize } from '../settings.ts'
import { announce } from './announce.ts'

/**
 * The server that a user would write by hand: `node hand.ts DATABASE [FULL|NORMAL] [own|shared]`, one commit for each write or shared ones, on
 * SQLite; `node hand.ts postgres://…` on PostgreSQL.
 */
const [, , database = '', synchronous = 'FULL', commits = 'own'] = process.argv
const { reads, writes, close } = openStore()
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
  return (await reads.get(request.params.id)) ?? reply.code(404).send({ message: 'not found' })
})
app.get<{ Querystring: { limit?: string; offset?: string; 'id[gt]'?: string } }>('/users', async ({ query }) => {
  const limit = Number(query.limit ?? 50)
  return query['id[gt]'] === undefined ? reads.list(limit, Number(query.offset ?? 0)) : reads.page(limit, Number(query['id[gt]']))
})
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
  await close()
})

interface Reads {
  get(id: number): HandUser | undefined | Promise<HandUser | undefined>
  list(limit: number, offset: number): HandUser[] | Promise<HandUser[]>
  page(limit: number, after: number): HandUser[] | Promise<HandUser[]>
}

interface Writes {
  insert(user: NewHandUser, actor: string): HandUser | Promise<HandUser>
  update(id: number, patch: Partial<NewHandUser>, actor: string): HandUser | undefined | Promise<HandUser | undefined>
  delete(id: number, actor: string): HandUser | undefined | Promise<HandUser | undefined>
}

function openStore(): { readonly reads: Reads; readonly writes: Writes; close(): unknown } {
  if (database.startsWith('postgres:')) {
    const store = new HandPostgresStore(database, poolSize)
    return { reads: store, writes: store, close: () => store.close() }
  }
  const store = openHandStore(database, { synchronous: synchronous === 'NORMAL' ? 'NORMAL' : 'FULL' })
  return { reads: store, writes: commits === 'shared' ? store.shared : store, close: store.close }
}
