import type { ErrorCode, ResponseStyle } from '@strongroom/contract'
import type { AnyAccessor } from '@strongroom/core'
import closeWithGrace from 'close-with-grace'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { answerUnreadable, noteAnswer } from './answer-unreadable.ts'
import type { Authentication } from './auth/authentication.ts'
import { bootstrap } from './bootstrap.ts'
import { announceErrors } from './edge/announced-errors.ts'
import { answerOrigins } from './edge/answer-origins.ts'
import { cutSlowReaders } from './edge/cut-slow-readers.ts'
import { limitRequests } from './edge/limit-requests.ts'
import { secureHeaders } from './edge/secure-headers.ts'
import { shedLoad } from './edge/shed-load.ts'
import { echoStatements } from './logs/echo-statements.ts'
import { logRequests } from './logs/log-requests.ts'
import { type Log, openLog } from './logs/open-log.ts'
import { ownRequestLines } from './logs/own-request-lines.ts'
import { Redactor } from './logs/redact.ts'
import { maxHeaderSize } from './node-http.ts'
import { answerUnknownPaths } from './not-found.ts'
import { Metrics } from './observe/metrics.ts'
import { traceRequests } from './observe/trace-requests.ts'
import { openTracing } from './observe/tracing.ts'
import { watchRequests } from './observe/watch-requests.ts'
import type { BootstrapOptions } from './options.ts'
import { answerProblem } from './problem.ts'
import { clientRequestId, newRequestId } from './request-id.ts'
import { resolveResponseStyle, setResponseStyle } from './response-style.ts'
import { type CreateServerOptions, resolveServerOptions, type ServerOptions } from './server-options.ts'
import { readEnvironment } from './settings/environment.ts'
import { secretTexts } from './settings/secret.ts'

/**
 * The whole server for those who have none: reads all settings from the environment and `.env`, opens log and storage, answers other
 * origins, sets security headers, limits requests, mounts everything, listens, and on SIGTERM or SIGINT finishes the running requests,
 * closes the storage, writes the rest of the log and ends the process.
 *
 * @returns the listening server; `app.listeningOrigin` is its address
 * @throws UsageError `invalid_settings` that lists every bad setting, `invalid_options`; what `bootstrap` and `beforeListen` throw; the
 * system's error when the address cannot be had
 * @example
 * const app = await createServer({ accessors: [users], auth: false, operators: 'loopback' })
 * console.log(app.listeningOrigin) // http://127.0.0.1:3000
 */
export async function createServer(options: CreateServerOptions): Promise<FastifyInstance> {
  const { server, bootstrap: given } = resolveServerOptions(options, readEnvironment(process.env, process.cwd()))
  const { settings } = server
  const responses = resolveResponseStyle(given.responses)
  const log = await openServerLog(server, given.accessors)
  const app = makeServer(server, responses, log.logger)
  app.addHook('onClose', () => log.close())
  closeOnSignals(app, server.closeTimeout)
  try {
    app.log.info({ app: settings.APP_NAME, version: settings.APP_VERSION, settings: { ...settings } }, 'the server starts')
    setResponseStyle(app, responses)
    answerUnknownPaths(app)
    app.setErrorHandler(answerProblem)
    const tracing = await openTracing(given.tracing)
    if (tracing) traceRequests(app, tracing)
    if (given.systemRoutes?.metrics !== false) watchRequests(app, await Metrics.open())
    await guardEdge(app, server, log, given.auth || undefined)
    await bootstrap(app, settings.DEBUG ? { ...given, onStatement: echoStatements(app.log, given.onStatement) } : given)
    await server.beforeListen(app)
    await app.listen({ host: settings.HOST, port: settings.PORT })
  } catch (error) {
    await app.close()
    throw error
  }
  return app
}

/** Everything that a request passes before it comes to a route, in this order. */
async function guardEdge(
  app: FastifyInstance,
  { settings, byHeader, answerTimeout, maxConnections, pressure, rateLimit }: ServerOptions,
  log: Log,
  auth: Authentication | undefined,
): Promise<void> {
  const errors: ErrorCode[] = []
  app.server.maxConnections = maxConnections
  logRequests(app, { write: log.requestLines(app.log), byHeader })
  cutSlowReaders(app, answerTimeout)
  secureHeaders(app)
  await answerOrigins(app, settings.CORS_ORIGINS)
  if (pressure) {
    shedLoad(app, pressure)
    errors.push('server_busy')
  }
  if (rateLimit) {
    limitRequests(app, rateLimit, () => app.storage, auth)
    errors.push('too_many_requests')
  }
  announceErrors(app, errors)
}

function openServerLog({ settings, logger }: ServerOptions, accessors: BootstrapOptions['accessors']): Promise<Log> {
  return openLog({
    // DEBUG asks for statements, which are told at that level.
    level: settings.DEBUG && settings.LOG_LEVEL !== 'trace' ? 'debug' : settings.LOG_LEVEL,
    file: settings.LOG_FILE,
    logger,
    redactor: new Redactor(
      secretFields(accessors),
      secretTexts(settings.DATABASE_URL, settings.SECRET_KEY, settings.FIRST_ADMIN_PASSWORD, settings.AUDIT_CHECKPOINT_KEY),
    ),
  })
}

/** The names of the models' secret fields. What is no list of accessors is refused later. */
function secretFields(accessors: readonly AnyAccessor[]): string[] {
  const known = Array.isArray(accessors) ? accessors : []
  return known.flatMap((accessor: AnyAccessor) => accessor.model.fields.filter((field) => field.secret).map((field) => field.name))
}

function makeServer(
  { requestTimeout, headersTimeout, trustProxy }: ServerOptions,
  responses: ResponseStyle,
  loggerInstance: FastifyBaseLogger,
): FastifyInstance {
  const app = Fastify({
    loggerInstance,
    ...ownRequestLines(),
    trustProxy,
    requestTimeout,
    // Node looks for late requests every half a minute by itself, and not at all while headers may take longer than the request.
    http: { connectionsCheckingInterval: Math.min(headersTimeout, 5000), requestTimeout, headersTimeout },
    genReqId: (request) => clientRequestId(request.headers) ?? newRequestId(),
    // Node takes no longer requests: an id that is too long is not found, like every one of the wrong shape.
    routerOptions: { maxParamLength: maxHeaderSize },
    clientErrorHandler: answerUnreadable(responses),
    frameworkErrors: (error, request, reply) => {
      answerProblem(error, request, reply)
    },
  })
  app.server.on('request', noteAnswer)
  return app
}

function closeOnSignals(app: FastifyInstance, delay: number): void {
  const logger = { error: (...details: unknown[]) => app.log.error(details.length === 1 ? details[0] : details) }
  const handle = closeWithGrace({ delay, logger }, async ({ err }) => {
    if (err) app.log.fatal({ err }, 'the server ends after an error that nobody caught')
    await app.close()
  })
  app.addHook('onClose', async () => handle.uninstall())
}
