import { statSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'
import { bootstrap } from '@strongroom/fastify'
import Fastify from 'fastify'
import { startHeartbeat } from '../heartbeat.ts'
import { documentAccessor } from '../operators/documents.ts'

/** The server under load: `node operators-server.ts URL`. It prints its URL, and tells at /vitals how it has been since it was asked last. */
const [, , database = ''] = process.argv

const app = Fastify()
await bootstrap(app, { accessors: [documentAccessor()], databaseUrl: database })

const peaks = { ...memory(), log: 0 }
const log = `${database.replace(/^sqlite:/, '')}-wal`
let beats = 0
const heartbeat = startHeartbeat(() => {
  if (beats++ % 20 !== 0) return
  if (process.memoryUsage.rss() > peaks.rss) Object.assign(peaks, memory())
  peaks.log = Math.max(peaks.log, statSync(log, { throwIfNoEntry: false })?.size ?? 0)
})

app.get('/vitals', async () => {
  const told = { ...heartbeat.take(), ...peaks }
  Object.assign(peaks, memory(), { log: 0 })
  return told
})
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`)
process.on('SIGTERM', () => void app.close())

/** Bytes of the process, and of them those of the JavaScript heap that the requests have: the main thread's. */
function memory(): { rss: number; heap: number } {
  return { rss: process.memoryUsage.rss(), heap: getHeapStatistics().total_physical_size }
}
