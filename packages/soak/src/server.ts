import { Default, defineModel, ModelAccessor } from '@strongroom/core'
import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { Type } from 'typebox'

/** The server of all campaigns: `node server.ts DATABASE [MAX_PAGES]`, a file or a URL. It prints its URL and nothing else. */
const [, , database = '', maxPages] = process.argv

const Counter = defineModel(
  'counters',
  { name: Type.String({ maxLength: 100 }), value: Default(Type.Integer(), 0), padding: Type.Optional(Type.String()) },
  { unique: [['name']] },
)

// Nothing but an Idempotency-Key keeps one from being inserted twice.
const Increment = defineModel('increments', { key: Type.String({ maxLength: 100 }) })

const app = Fastify()
await bootstrap(app, {
  accessors: [new ModelAccessor(Counter, 'counters'), new ModelAccessor(Increment, 'increments')],
  databaseUrl: /^(sqlite|postgres):/.test(database) ? database : `sqlite:${database}`,
  ...(maxPages !== undefined && { sqlite: { maxPageCount: Number(maxPages) } }),
})

// Pages that the campaign can give back when the file is full; a table of the app's own, which no model knows.
if (maxPages !== undefined) {
  const { kysely } = app.storage
  await kysely.schema.createTable('ballast').addColumn('weight', 'text').execute()
  await kysely
    .insertInto('ballast')
    .values({ weight: 'x'.repeat(2_000_000) })
    .execute()
  app.post('/room', async () => ({ removed: Number((await kysely.deleteFrom('ballast').executeTakeFirst()).numDeletedRows) }))
}
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
process.on('SIGTERM', () => void app.close())
