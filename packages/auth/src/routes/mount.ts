import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { requestIdOf } from '../caller.ts'
import { type AuthOperation, type AuthRoute, authRoutes } from './auth-routes.ts'
import type { Desk, Handler } from './handlers.ts'
import { issueKey, listKeys, revokeKey } from './keys.ts'
import { parseForm, readBody } from './read-body.ts'
import { changePassword, signOut, whoAmI } from './session.ts'
import { refresh, signIn } from './token.ts'

const handlers: Readonly<Record<AuthOperation, Handler>> = {
  token: signIn,
  refresh,
  logout: signOut,
  me: whoAmI,
  password: changePassword,
  listKeys,
  issueKey,
  revokeKey,
}

/** Bytes; nothing here is long. */
const bodyLimit = 16_384

/** Mounts the routes in a scope of their own, below `/auth`. */
export async function mountAuthRoutes(scope: FastifyInstance, desk: Desk): Promise<void> {
  await scope.register(
    async (auth) => {
      auth.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'string', bodyLimit },
        async (_: FastifyRequest, text: string) => parseForm(text),
      )
      auth.addHook('onRequest', async (_, reply) => {
        reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
      })
      // Who is refused is told how to sign in (RFC 6750, 3).
      auth.addHook('onError', async (_, reply, error) => {
        if ('status' in error && error.status === 401) reply.header('www-authenticate', 'Bearer')
      })
      for (const route of authRoutes) mountRoute(auth, desk, route)
    },
    { prefix: '/auth' },
  )
}

/** Every path answers with and without a trailing slash. A route that the host already has is kept, with a warning. */
function mountRoute(scope: FastifyInstance, desk: Desk, route: AuthRoute): void {
  const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1')
  const { ignoreTrailingSlash, routerOptions } = scope.initialConfig
  const forms = ignoreTrailingSlash || routerOptions?.ignoreTrailingSlash ? [path] : [path, `${path}/`]
  for (const url of forms) {
    if (scope.hasRoute({ method: route.method, url: `${scope.prefix}${url}` })) {
      scope.log.warn(`The server already has ${route.method} ${scope.prefix}${url}. It is kept, and Strongroom's is not mounted.`)
      continue
    }
    scope.route({
      method: route.method,
      url,
      bodyLimit,
      exposeHeadRoute: false,
      // These routes are in a document of their own. The property belongs to @fastify/swagger.
      schema: { hide: true } as object,
      handler: async (request, reply) => answer(desk, route, request, reply),
    })
  }
}

async function answer(desk: Desk, route: AuthRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const receivedAt = Date.now()
  const body = route.body ? readBody(request, route.body) : {}
  const visit = { request, reply, body, requestId: requestIdOf(request, reply), receivedAt }
  const result = await handlers[route.operation](desk, visit)
  return reply.code(route.answer.status).type('application/json; charset=utf-8').send(JSON.stringify(result))
}
