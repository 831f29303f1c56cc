import { passwordAuthentication, User, userAccess } from '@strongroom/auth'
import { ModelAccessor } from '@strongroom/core'
import { type CreateServerOptions, createServer } from '@strongroom/fastify'
import { people, peopleAccess } from './models.ts'

/** One side of the bench: `node server.ts DATABASE LOG_FILE PARTS`. PARTS is `none`, `all`, or some of auth, limit, logs, metrics, pressure. */
const [, , database = '', logFile = '', given = 'all'] = process.argv
const parts = given === 'all' ? ['auth', 'limit', 'logs', 'metrics', 'pressure'] : given.split(',')
const has = (part: string): boolean => parts.includes(part)

const users = new ModelAccessor(User, 'users')
const password = 'correct horse battery staple'
const login: Pick<CreateServerOptions, 'auth' | 'access' | 'operators'> = {
  access: [userAccess(), peopleAccess],
  operators: { all: 'admin' },
  auth: passwordAuthentication({
    users,
    secret: 'a secret of the bench, which is long enough',
    accessTokenMinutes: 120,
    passwordHash: { memoryCost: 1_024, timeCost: 1, parallelism: 1 },
    firstAdministrator: { email: 'root@example.com', password },
  }),
}
const app = await createServer({
  accessors: has('auth') ? [users, people(true)] : [people(false)],
  databaseUrl: database,
  port: 0,
  logLevel: 'info',
  ...(has('logs') ? { logFile } : { logger: false }),
  // Nobody is refused: what is measured is the counting.
  rateLimit: has('limit') && { requests: 1_000_000_000, period: 3_600 },
  ...(!has('metrics') && { systemRoutes: { metrics: false } }),
  ...(!has('pressure') && { pressure: false }),
  ...(has('auth') ? login : { operators: 'loopback', auth: false }),
})
if (has('auth')) {
  for (let index = 0; index < 20; index++)
    await users
      .insert({ email: `user${index}@example.com`, password, roles: ['member'], tenant: `tenant${index % 2}` })
      // The database is that of an earlier run.
      .catch(() => undefined)
}

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ microseconds: user + system, resident: process.memoryUsage.rss() })
})
process.on('disconnect', () => void app.close())
process.send?.({ url: app.listeningOrigin })
