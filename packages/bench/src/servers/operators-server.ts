import { statSync } from 'node:fs'
import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { startHeartbeat } from '../heartbeat.ts'
import { documentAccessor } from '../operators/documents.ts'

/** The server under load: `node operators-server.ts URL`. It prints its URL, and tells at /vitals how it has been since it was asked last. */
const [, , database = ''] = process.argv

const app = Fastify()
await bootstrap(app, { accessors: [documentAccessor()], databaseUrl: database })

const peaks = { rss: 0, log: 0 }
const log = `${database.replace(/^sqlite:/, '')}-wal`
let beats = 0
const heartbeat = startHeartbeat(() => {
  if (beats++ % 20 !== 0) return
  peaks.rss = Math.max(peaks.rss, process.memoryUsage.rss())
  peaks.log = Math.max(peaks.log, statSync(log, { throwIfNoEntry: false })?.size ?? 0)
})

app.get('/vitals', async () => {
  const told = { ...heartbeat.take(), ...peaks }
  Object.assign(peaks, { rss: process.memoryUsage.rss(), log: 0 })
  return told
})
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`)
process.on('SIGTERM', () => void app.close())
