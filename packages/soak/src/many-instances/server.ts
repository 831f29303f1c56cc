import { Default, defineModel, ModelAccessor } from '@strongroom/core'
import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { backupsEvery } from './backups-every.ts'

/** One of several servers on one database: `BACKUPS=folder node server.ts URL`. It prints its URL and nothing else. */
const [, , databaseUrl = ''] = process.argv

const Counter = defineModel(
  'counters',
  { name: Type.String({ maxLength: 100 }), value: Default(Type.Integer(), 0) },
  { unique: [['name']] },
)

// Nothing but an Idempotency-Key keeps one from being inserted twice.
const Increment = defineModel('increments', { key: Type.String({ maxLength: 100 }) })

const app = Fastify()
await bootstrap(app, {
  accessors: [new ModelAccessor(Counter, 'counters'), new ModelAccessor(Increment, 'increments')],
  databaseUrl,
  backups: { every: backupsEvery, keep: 1_000, target: process.env['BACKUPS'] ?? '' },
})
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
process.on('SIGTERM', () => void app.close())
