import { generateKeyPairSync } from 'node:crypto'
import { passwordAuthentication } from '@strongroom/auth'
import { createServer } from '@strongroom/fastify'
import { callerUsers, cheapHash, secretKey } from './callers.ts'
import { access, accessors, users } from './models.ts'

/** The server that callers of all kinds throw requests at: `node server.ts DATABASE_URL LOG_FILE`. Its parent talks to it over IPC. */
const [, , databaseUrl = '', logFile = ''] = process.argv

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const app = await createServer({
  accessors,
  access,
  databaseUrl,
  auditCheckpoints: { key },
  port: 0,
  logFile,
  logLevel: 'info',
  secretKey,
  operators: { all: 'operator', audit: ['operator', 'admin'], export: ['operator', 'admin'], health: ['operator', 'admin'] },
  rateLimit: { requests: 1_000_000_000, period: 3_600 },
  // A 503 is a fault here, and the machine may have more to do than this.
  pressure: false,
  auth: (settings) =>
    passwordAuthentication({
      ...settings,
      users,
      passwordHash: cheapHash,
      administrators: 'admin',
      // All requests come from one address; accounts are locked as ever.
      lockout: { addressFailures: 1_000_000_000 },
    }),
})
for (const user of callerUsers) await users.insert({ ...user }, { access: 'system' })

process.on('message', () => {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  process.send?.({ resident: rss, heap: heapUsed })
})
// A parent that is gone sends no signal.
process.on('disconnect', () => void app.close())
process.send?.({ url: app.listeningOrigin })
