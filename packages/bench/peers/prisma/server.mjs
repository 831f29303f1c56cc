import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { announce } from '../../src/beside-hand/servers/announce.ts'
import { PrismaClient } from './generated/client.ts'

// Prisma has no server of its own: routes by hand, as in the hand-written server. `node server.mjs DATABASE`.
const [, , file] = process.argv
const adapter = new PrismaBetterSqlite3({ url: `file:${file}` }, { timestampFormat: 'iso8601' })
// Units wait for each other on SQLite, and 64 of them for longer than Prisma would let them.
const prisma = new PrismaClient({ adapter, transactionOptions: { maxWait: 60_000, timeout: 60_000 } })
for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) await prisma.$queryRawUnsafe(`PRAGMA ${pragma}`)

const app = Fastify()
const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  email: Type.String({ minLength: 3, maxLength: 200 }),
  age: Type.Integer({ minimum: 0, maximum: 150 }),
}
const body = Type.Object(fields, { additionalProperties: false })
const patch = Type.Partial(body)
const params = Type.Object({ id: Type.Integer() })

const tell = (unit, request, operation, before, after) =>
  unit.entry.create({
    data: {
      timestamp: new Date(),
      component: 'users',
      record_id: String((after ?? before).id),
      operation,
      actor: String(request.headers['x-user']),
      before: before && JSON.stringify(before),
      after: after && JSON.stringify(after),
    },
  })

/** Changes a user that is there, with its entry. */
const change = (request, operation, data) =>
  prisma.$transaction(async (unit) => {
    const { id } = request.params
    const before = await unit.user.findFirst({ where: { id, deleted_at: null } })
    if (!before) return undefined
    const after = await unit.user.update({ where: { id }, data })
    await tell(unit, request, operation, before, after)
    return after
  })

app.get('/users/:id', { schema: { params } }, async (request, reply) => {
  const user = await prisma.user.findFirst({ where: { id: request.params.id, deleted_at: null } })
  return user ?? reply.code(404).send({ message: 'not found' })
})
app.get('/users', async ({ query: { limit = '50', offset = '0' } }) =>
  prisma.user.findMany({ where: { deleted_at: null }, orderBy: { id: 'asc' }, take: Number(limit), skip: Number(offset) }),
)
app.post('/users', { schema: { body } }, async (request, reply) => {
  const user = await prisma.$transaction(async (unit) => {
    const made = await unit.user.create({ data: { ...request.body, created_at: new Date() } })
    await tell(unit, request, 'create', null, made)
    return made
  })
  return reply.code(201).header('location', `/users/${user.id}`).send(user)
})
app.put('/users/:id', { schema: { params, body: patch } }, async (request, reply) => {
  const user = await change(request, 'update', request.body)
  return user ?? reply.code(404).send({ message: 'not found' })
})
app.delete('/users/:id', { schema: { params } }, async (request, reply) => {
  const record = await change(request, 'soft_delete', { deleted_at: new Date() })
  return record ? { status: 'deleted', id: record.id, record } : reply.code(404).send({ message: 'not found' })
})

announce(await app.listen({ port: 0, host: '127.0.0.1' }), async () => {
  await app.close()
  await prisma.$disconnect()
})
