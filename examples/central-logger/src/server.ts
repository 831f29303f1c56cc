import { passwordAuthentication } from '@strongroom/auth'
import { type CreateServerOptions, createServer } from '@strongroom/fastify'
import { access } from './access.ts'
import { logRoutes } from './log-routes.ts'
import { logs, users } from './models.ts'

/** Starts the server. Its settings come from the environment and `.env`; `overrides` win, for tests. */
export function startServer(overrides: Partial<CreateServerOptions> = {}): ReturnType<typeof createServer> {
  return createServer({
    accessors: [users, logs],
    auth: (settings) => passwordAuthentication({ ...settings, users }),
    access,
    operators: { all: 'admin' },
    routes: logRoutes,
    // a batch of a shipper
    bodyLimit: 16 * 1024 * 1024,
    // the dashboard asks five times for what it shows
    defaults: { APP_NAME: 'Central logger', RATE_LIMIT_ENABLED: true, RATE_LIMIT_REQUESTS: 600 },
    ...overrides,
  })
}
