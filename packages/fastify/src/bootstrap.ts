import { batchRoute } from '@strongroom/contract'
import { type AnyAccessor, type Logger, openStorage, type Storage, type StorageOptions, type TablesOf } from '@strongroom/core'
import type { FastifyInstance } from 'fastify'
import { onBehalf } from './auth/identity.ts'
import { announcedErrors, announceErrors } from './edge/announced-errors.ts'
import { limitRequests } from './edge/limit-requests.ts'
import { letConnectionsGo, settleIn } from './guest-scope.ts'
import { type HostServer, plainServer } from './host-server.ts'
import { mountRoute } from './mount.ts'
import { Metrics } from './observe/metrics.ts'
import { traceRequests, tracingOf } from './observe/trace-requests.ts'
import { openTracing, type Tracing } from './observe/tracing.ts'
import { metricsOf, watchRequests } from './observe/watch-requests.ts'
import { openApiDocument } from './openapi/document.ts'
import { auditLimits, mountOperators } from './operators/db-router.ts'
import { type BootstrapOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { mountOwnRoutes } from './own-routes.ts'
import { runBatch } from './records/batch.ts'
import { mountRecords } from './records/crud-router.ts'
import type { RecordRoom } from './records/record-room.ts'
import { refuse } from './refuse.ts'
import { mountSystem } from './system/system-routes.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The storage that `bootstrap` opened. */
    storage: Storage
  }
}

/**
 * Opens the storage and mounts everything: the records of each accessor, the operators' routes, and the system routes.
 * A failure leaves the server as it was. Closing the server finishes its requests and closes the storage.
 *
 * @param app any Fastify server; what it has set for its own routes stays as it is, and does not reach ours
 * @throws UsageError `invalid_options` for options that cannot work; SchemaMismatchError when tables do not fit the models;
 * StorageUnavailableError when the database cannot be opened
 * @example
 * const app = Fastify()
 * await bootstrap(app, { accessors: [users], databaseUrl: 'sqlite:./app.db', auth: false, operators: 'loopback' })
 * await app.listen({ port: 3000 })
 */
export async function bootstrap<const Accessors extends readonly AnyAccessor[]>(
  app: HostServer,
  options: BootstrapOptions<Accessors>,
): Promise<Storage<TablesOf<Accessors[number]['model']>>> {
  const resolved = resolveOptions(options)
  if (app.hasDecorator('storage')) refuse('This server has an app.storage already. Call bootstrap once for each server.')
  const watch = await openWatch(app, resolved)
  const opened = await openStorage({ ...resolved.storage, ...watchStorage(watch, resolved), logger: storageLogger(app) })
  // Inside nobody knows the tables by their types.
  const storage = opened as Storage<object> as Storage
  try {
    const server = plainServer(app)
    server.decorate('storage', storage)
    await server.register(async (scope) => mountAll(scope, storage, resolved, watch), { prefix: resolved.prefix })
  } catch (error) {
    await storage.close()
    throw error
  }
  // It has these accessors, and those of the authentication.
  return opened as Storage<object> as Storage<TablesOf<Accessors[number]['model']>>
}

const unproven = 'WRITES WITHOUT A LOGIN: whoever sends a request says in X-User who it is from, and is believed, as auth: false says.'

const bearer = { bearer: { type: 'http', scheme: 'bearer' } }

const loginErrors = ['unauthorized', 'forbidden'] as const

/** The API's table of contents. */
async function mountAll(scope: FastifyInstance, storage: Storage, options: ResolvedOptions, { metrics, tracing }: Watch): Promise<void> {
  scope.addHook('onClose', () => storage.close())
  if (tracing && !tracingOf(scope)) traceRequests(scope, tracing)
  if (metrics && !metricsOf(scope)) watchRequests(scope, metrics)
  settleIn(scope, options.responses)
  letConnectionsGo(scope)
  announceErrors(scope, [...(options.auth ? loginErrors : []), ...(options.rateLimit ? (['too_many_requests'] as const) : [])])
  if (options.rateLimit) {
    limitRequests(scope, options.rateLimit, () => storage, options.auth)
  }
  mountSystem(scope, storage, { ...options, metrics }, () => documentOf(scope, storage, options))
  if (!options.auth && options.namesByHeader) scope.log.warn(unproven)
  if (options.enableDbRouter) {
    await scope.register(async (db) => mountOperators(db, storage, { ...options, limits: auditLimits({}) }), { prefix: '/db' })
  }
  // before the records: /users/latest would be a record of users
  if (options.routes) await mountOwnRoutes(scope, storage, options.routes, options.auth)
  const rooms: RecordRoom[] = []
  for (const accessor of ownAccessors(storage, options)) {
    const requireIfMatch = requiresIfMatch(options, accessor.component)
    await scope.register(async (records) => void rooms.push(mountRecords(records, accessor, { ...options, storage, requireIfMatch })), {
      prefix: `/${accessor.component}`,
    })
  }
  const [first, ...others] = rooms
  if (first) mountRoute(scope, batchRoute, onBehalf(options.auth, storage, runBatch(storage, [first, ...others])), options.bodyLimit)
  await options.auth?.mount?.(scope, storage)
}

/** Who looks on, where somebody does. */
interface Watch {
  readonly metrics: Metrics | undefined
  readonly tracing: Tracing | undefined
}

/** A whole server looks on already. */
async function openWatch(app: HostServer, { systemPaths, auth, tracing, figures }: ResolvedOptions): Promise<Watch> {
  const server = plainServer(app)
  const metrics = systemPaths.metrics === false ? undefined : (metricsOf(server) ?? (await Metrics.open()))
  metrics?.add([...(auth?.figures ?? []), ...figures], (figure, error) =>
    server.log.warn({ figure, err: error }, 'a figure could not be read'),
  )
  return { metrics, tracing: tracingOf(server) ?? (await openTracing(tracing)) }
}

function watchStorage({ metrics, tracing }: Watch, { storage }: ResolvedOptions): Pick<StorageOptions, 'observer' | 'onStatement'> {
  return {
    ...((metrics || tracing) && { observer: { ...metrics?.observer, ...tracing?.observer } }),
    ...(tracing && { onStatement: tracing.listener(storage.onStatement) }),
  }
}

/** Accessors of the authentication have no record routes. */
function ownAccessors({ accessors }: Storage, { auth }: ResolvedOptions): Storage['accessors'] {
  return accessors.filter((accessor) => !auth?.accessors?.includes(accessor))
}

function requiresIfMatch({ requireIfMatch }: ResolvedOptions, component: string): boolean {
  return typeof requireIfMatch === 'boolean' ? requireIfMatch : requireIfMatch.includes(component)
}

function documentOf(scope: FastifyInstance, storage: Storage, options: ResolvedOptions): unknown {
  return openApiDocument({
    components: ownAccessors(storage, options),
    prefix: scope.prefix,
    operators: options.enableDbRouter,
    systemPaths: options.systemPaths,
    pageSize: options.pageSize,
    namesActor: options.actor === undefined,
    describeOthers: [options.auth, options.routes].flatMap((other) => (other?.openApi ? [other.openApi.bind(other)] : [])),
    securitySchemes: options.auth ? (options.auth.securitySchemes ?? bearer) : {},
    dialects: options.dialects,
    info: { title: options.appName, version: options.appVersion },
    announcedErrors: announcedErrors(scope),
    responses: options.responses,
  })
}

function storageLogger({ log }: HostServer): Logger {
  return {
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
    error: (message, error) => log.error({ err: error }, message),
  }
}
