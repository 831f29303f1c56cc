import { generateKeyPairSync } from 'node:crypto'
import { ValidationError } from '@strongroom/core'
import { createServer } from '@strongroom/fastify'
import { accessors, articles, authors } from './models.ts'

/** The server that random requests are thrown at: `node server.ts DATABASE_URL`. Its parent talks to it over IPC. */
const [, , databaseUrl = ''] = process.argv

// Hooks run before the record is validated: what is required may be missing still.
authors.beforeInsert(({ record }) => {
  if (String(record.name).startsWith('refused')) throw new ValidationError([{ path: 'name', message: 'is not welcome here' }])
})
// Units of work that await run alone on SQLite, and beside others on PostgreSQL.
articles.beforeInsert(async ({ record }) => {
  await new Promise((resolve) => setImmediate(resolve))
  record.slug ??= String(record.title).slice(0, 20)
})
articles.afterUpdate(async ({ record, session }) => {
  await session.kysely.selectFrom('articles').select('id').where('id', '=', record.id).execute()
})
articles.afterCommit(async () => undefined)

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const app = await createServer({
  accessors,
  databaseUrl,
  port: 0,
  // A 503 is a fault here, and the machine may have more to do than this.
  pressure: false,
  operators: 'loopback',
  auditCheckpoints: { key },
  logger: { level: 'error' },
})

process.on('message', () => {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  process.send?.({ resident: rss, heap: heapUsed })
})
// A parent that is gone sends no signal.
process.on('disconnect', () => void app.close())
process.send?.({ url: app.listeningOrigin })
