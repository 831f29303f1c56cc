import { fileURLToPath } from 'node:url'
import { passwordAuthentication } from '@strongroom/auth'
import { type CreateServerOptions, createServer } from '@strongroom/fastify'
import { access } from './access.ts'
import { controls, evidence, risks, tasks, users } from './accessors.ts'

/** Where `strongroom migrate` writes, and what a start applies. */
export const migrations = fileURLToPath(new URL('../migrations', import.meta.url))

/** Starts the server. Its settings come from the environment and `.env`; `overrides` win, for tests. */
export function startServer(overrides: Partial<CreateServerOptions> = {}): ReturnType<typeof createServer> {
  return createServer({
    accessors: [users, risks, controls, tasks, evidence],
    migrations,
    auth: (settings) => passwordAuthentication({ ...settings, users }),
    access,
    operators: { all: 'admin' },
    // files of evidence travel as base64 in JSON, a third larger than they are
    bodyLimit: 8 * 1024 * 1024,
    defaults: { APP_NAME: 'Governance', RATE_LIMIT_ENABLED: true },
    ...overrides,
  })
}
