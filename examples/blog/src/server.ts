import { passwordAuthentication } from '@strongroom/auth'
import { type CreateServerOptions, createServer } from '@strongroom/fastify'
import { access } from './access.ts'
import { categories, comments, posts, postTags, tags, users } from './models.ts'

/**
 * Starts the blog. Its settings come from the environment and `.env`; `overrides` win, for tests.
 */
export function startServer(overrides: Partial<CreateServerOptions> = {}): ReturnType<typeof createServer> {
  return createServer({
    accessors: [users, categories, tags, posts, postTags, comments],
    responses: 'envelope',
    auth: (settings) => passwordAuthentication({ ...settings, users }),
    access,
    operators: { all: 'admin' },
    defaults: { APP_NAME: 'Blog', RATE_LIMIT_ENABLED: true },
    ...overrides,
  })
}
