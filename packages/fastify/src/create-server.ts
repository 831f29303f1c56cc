import { randomUUID } from 'node:crypto'
import { maxHeaderSize } from 'node:http'
import type { ResponseStyle } from '@strongroom/contract'
import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyInstance } from 'fastify'
import { answerUnreadable } from './answer-unreadable.ts'
import { bootstrap } from './bootstrap.ts'
import { answerUnknownPaths } from './not-found.ts'
import { answerProblem } from './problem.ts'
import { clientRequestId } from './request-id.ts'
import { resolveResponseStyle, setResponseStyle } from './response-style.ts'
import { type CreateServerOptions, resolveServerOptions, type ServerOptions } from './server-options.ts'

/**
 * The whole server for those who have none: reads DATABASE_URL, HOST and PORT, opens the storage, mounts everything,
 * listens, and on SIGTERM or SIGINT finishes the running requests, closes the storage and ends the process.
 *
 * @returns the listening server; `app.listeningOrigin` is its address
 * @throws UsageError `invalid_options`; what `bootstrap` throws; the system's error when the address cannot be had
 * @example
 * const app = await createServer({ accessors: [users], operators: 'loopback' })
 * console.log(app.listeningOrigin) // http://127.0.0.1:3000
 */
export async function createServer(options: CreateServerOptions): Promise<FastifyInstance> {
  const { server, bootstrap: given } = resolveServerOptions(options, process.env)
  const responses = resolveResponseStyle(given.responses)
  const app = makeServer(server, responses)
  setResponseStyle(app, responses)
  answerUnknownPaths(app)
  app.setErrorHandler(answerProblem)
  closeOnSignals(app, server.closeTimeout)
  try {
    await bootstrap(app, given)
    await app.listen({ host: server.host, port: server.port })
  } catch (error) {
    await app.close()
    throw error
  }
  return app
}

function makeServer({ logger, requestTimeout }: ServerOptions, responses: ResponseStyle): FastifyInstance {
  return Fastify({
    logger,
    requestTimeout,
    // Node looks for late requests every half a minute by itself, and not at all while headers may take longer than the request.
    http: { connectionsCheckingInterval: Math.min(requestTimeout, 5000), requestTimeout, headersTimeout: requestTimeout },
    genReqId: (request) => clientRequestId(request.headers) ?? randomUUID(),
    // Node takes no longer requests: an id that is too long is not found, like every one of the wrong shape.
    routerOptions: { maxParamLength: maxHeaderSize },
    clientErrorHandler: answerUnreadable(responses),
    frameworkErrors: (error, request, reply) => {
      answerProblem(error, request, reply)
    },
  })
}

function closeOnSignals(app: FastifyInstance, delay: number): void {
  const logger = { error: (...details: unknown[]) => app.log.error(details.length === 1 ? details[0] : details) }
  const handle = closeWithGrace({ delay, logger }, async ({ err }) => {
    if (err) app.log.fatal({ err }, 'the server ends after an error that nobody caught')
    await app.close()
  })
  app.addHook('onClose', async () => handle.uninstall())
}
