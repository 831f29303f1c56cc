import { passwordAuthentication } from '@strongroom/auth'
import { type CreateServerOptions, createServer } from '@strongroom/fastify'
import { access } from './access.ts'
import { driftScans, incidents, readings, timeline, users } from './accessors.ts'
import { figures } from './figures.ts'
import { startTracing } from './tracing.ts'

startTracing()

/** Starts the server. Its settings come from the environment and `.env`; `overrides` win, for tests. */
export function startServer(overrides: Partial<CreateServerOptions> = {}): ReturnType<typeof createServer> {
  return createServer({
    accessors: [users, incidents, timeline, readings, driftScans],
    auth: (settings) => passwordAuthentication({ ...settings, users }),
    access,
    operators: { all: 'admin', metrics: ['admin', 'monitor'] },
    figures,
    // a scan brings thousands of values
    bodyLimit: 16 * 1024 * 1024,
    defaults: { APP_NAME: 'Incidents', RATE_LIMIT_ENABLED: true },
    ...overrides,
  })
}
