import { AsyncLocalStorage } from 'node:async_hooks'
import { definePlugin, ZenStackClient } from '@zenstackhq/orm'
import { SqliteDialect } from '@zenstackhq/orm/dialects/sqlite'
import { RPCApiHandler } from '@zenstackhq/server/api'
import { ZenStackFastifyPlugin } from '@zenstackhq/server/fastify'
import Database from 'better-sqlite3'
import Fastify from 'fastify'
import { announce } from '../../src/beside-hand/servers/announce.ts'
import { schema } from './generated/schema.ts'

// ZenStack's own routes on Fastify, the audit entry by a plugin inside the transaction of the mutation: `node server.mjs DATABASE`.
const [, , file] = process.argv
const database = new Database(file)
for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) database.pragma(pragma)

const caller = new AsyncLocalStorage()
const operations = { create: 'create', update: 'update', delete: 'delete' }
const audit = definePlugin({
  id: 'audit',
  onEntityMutation: {
    runAfterMutationWithinTransaction: true,
    beforeEntityMutation: async ({ action, loadBeforeMutationEntities }) => {
      if (action !== 'create') await loadBeforeMutationEntities()
    },
    afterEntityMutation: async ({ action, beforeMutationEntities, loadAfterMutationEntities, client }) => {
      const after = action === 'delete' ? [] : await loadAfterMutationEntities()
      const [was, is] = [beforeMutationEntities?.[0], after?.[0]]
      await client.entry.create({
        data: {
          timestamp: new Date(),
          component: 'users',
          record_id: String((is ?? was).id),
          operation: operations[action],
          actor: caller.getStore() ?? 'nobody',
          before: was && JSON.stringify(was),
          after: is && JSON.stringify(is),
        },
      })
    },
  },
})
const client = new ZenStackClient(schema, { dialect: new SqliteDialect({ database }), plugins: [audit] })

const app = Fastify()
app.addHook('onRequest', (request, _reply, done) => caller.run(String(request.headers['x-user']), done))
await app.register(ZenStackFastifyPlugin, { prefix: '/api', apiHandler: new RPCApiHandler({ schema }), getClient: () => client })

announce(await app.listen({ port: 0, host: '127.0.0.1' }), async () => {
  await app.close()
  await client.$disconnect()
})
