import { type ResponseStyle, recordRoutes } from '@strongroom/contract'
import { type AnyAccessor, type AnyModel, ModelAccessor, type Storage, StrongroomError, UsageError } from '@strongroom/core'
import type { FastifyInstance, FastifyPluginAsync, RouteHandlerMethod } from 'fastify'
import type { ActorOf } from '../actor.ts'
import type { Authentication } from '../auth/authentication.ts'
import { allOnBehalf } from '../auth/identity.ts'
import { followChanges } from '../changes/follow-changes.ts'
import { type DialectName, resolveDialects } from '../dialects/translate.ts'
import { settleIn } from '../guest-scope.ts'
import { mountRoutes } from '../mount.ts'
import { defaultBodyLimit, resolvePageSize } from '../options.ts'
import type { PageSize } from '../query.ts'
import { refuseUnknown } from '../refuse.ts'
import { setComponent } from '../request-facts.ts'
import { resolveResponseStyle } from '../response-style.ts'
import { aggregateRecords } from './aggregate.ts'
import { createRecord } from './create.ts'
import { deleteRecord } from './delete.ts'
import { deleteRecords } from './delete-many.ts'
import { diffRecord } from './diff.ts'
import { getRecord } from './get.ts'
import { recordHistory } from './history.ts'
import { listRecords } from './list.ts'
import { patchRecord } from './patch.ts'
import { patchRecords } from './patch-many.ts'
import type { RecordRoom } from './record-room.ts'
import { restoreRecord } from './restore.ts'
import { revertRecord } from './revert.ts'
import { saveRecord } from './save.ts'

/** What the routes of one component can be told. */
export interface CrudRouterOptions {
  /** The most live records that the component may hold (409 `record_limit`); no limit unless said. */
  readonly maxRecords?: number | undefined
  /** Names whoever writes, from the host's own login; the `X-User` header is asked for where it is left out. */
  readonly actor?: ActorOf | undefined
  /** Records on a page; `{ defaultLimit: 50, maxLimit: 100 }` unless said, and at most 1000 with `dialects`. */
  readonly pageSize?: Partial<PageSize> | undefined
  /** Refuses changes of a record without its ETag as `If-Match` (428 `precondition_required`); false unless said. */
  readonly requireIfMatch?: boolean | undefined
  /** Bytes that a body may have; 1 MiB unless said. */
  readonly bodyLimit?: number | undefined
  /** `envelope` puts every answer into an envelope; `bare` unless said. */
  readonly responses?: ResponseStyle | undefined
  /** Understands queries as other tools' data providers write them: `['simple-rest', 'json-server']`; none unless said. */
  readonly dialects?: readonly DialectName[] | undefined
}

const known = ['maxRecords', 'actor', 'pageSize', 'requireIfMatch', 'bodyLimit', 'responses', 'dialects']

/**
 * The routes of one component as a Fastify plugin, for those who mount them by hand. The accessor belongs to an open storage.
 *
 * @param accessor the accessor of the records
 * @throws UsageError `invalid_options`, when it is registered
 * @example
 * const storage = await openStorage({ url: 'sqlite:./app.db', accessors: [users] })
 * await app.register(crudRouter(users, { maxRecords: 100_000 }), { prefix: '/people' })
 */
export function crudRouter(accessor: AnyAccessor, options: CrudRouterOptions = {}): FastifyPluginAsync {
  refuseUnknown('crudRouter', options, known)
  if (!(accessor instanceof ModelAccessor)) throw new UsageError('invalid_options', 'crudRouter takes a ModelAccessor: crudRouter(users).')
  const dialects = resolveDialects(options)
  const pageSize = resolvePageSize(options)
  const responses = resolveResponseStyle(options.responses)
  return async (scope) => {
    settleIn(scope, responses)
    if (options.maxRecords !== undefined) accessor.limitRecords(options.maxRecords)
    mountRecords(scope, accessor, { ...options, pageSize, dialects })
  }
}

/** What the routes stand on beside what the router is told. */
interface MountOptions extends CrudRouterOptions {
  readonly pageSize: PageSize
  readonly auth?: Authentication | undefined
  readonly storage?: Storage | undefined
}

/** Mounts the record routes in a scope that is settled already. Answers what they stand on. */
export function mountRecords(
  scope: FastifyInstance,
  accessor: ModelAccessor<AnyModel>,
  { actor, auth, storage, pageSize, dialects = [], requireIfMatch = false, bodyLimit = defaultBodyLimit }: MountOptions,
): RecordRoom {
  const room: RecordRoom = { accessor, pageSize, dialects, actor, requireIfMatch, path: scope.prefix.replace(/\/$/, '') }
  setComponent(scope, accessor.component)
  warnOfLongIds(scope, accessor)
  mountRoutes(
    scope,
    recordRoutes,
    allOnBehalf(
      auth,
      storage,
      withCaller(accessor, {
        list: listRecords(room),
        aggregate: aggregateRecords(room),
        changes: followChanges(scope, { feed: () => accessor.feed, storage, auth, check: () => undefined }),
        get: getRecord(room),
        create: createRecord(room),
        save: saveRecord(room),
        patch: patchRecord(room),
        patchMany: patchRecords(room),
        delete: deleteRecord(room),
        deleteMany: deleteRecords(room),
        restore: restoreRecord(room),
        history: recordHistory(room),
        diff: diffRecord(room),
        revert: revertRecord(room),
      }),
    ),
    bodyLimit,
  )
  return room
}

/** Where rules or tenants are there to hold, a route that knows no caller would be open to everybody. */
function withCaller<Name extends string>(
  accessor: ModelAccessor<AnyModel>,
  handlers: Readonly<Record<Name, RouteHandlerMethod>>,
): Readonly<Record<Name, RouteHandlerMethod>> {
  const guarded = Object.entries<RouteHandlerMethod>(handlers).map(([name, handler]) => {
    const checked: RouteHandlerMethod = function (request, reply) {
      if (accessor.lacksCaller())
        throw new StrongroomError('internal_error', `${accessor.component} has rules or tenants, and nobody says who asks.`)
      // The server is the handler's `this`, as Fastify has it.
      return handler.call(this, request, reply)
    }
    return [name, checked]
  })
  // The same names as before.
  return Object.fromEntries(guarded) as Readonly<Record<Name, RouteHandlerMethod>>
}

/** A host's router may refuse paths that ids of this model make. */
function warnOfLongIds(scope: FastifyInstance, { component, model }: ModelAccessor<AnyModel>): void {
  if (model.idType !== 'text' || model.id.maxLength === undefined) return
  const { maxParamLength, routerOptions } = scope.initialConfig
  const longest = routerOptions?.maxParamLength ?? maxParamLength ?? 100
  // A character beyond the first 65,536 counts twice.
  if (longest >= 2 * model.id.maxLength) return
  scope.log.warn(
    `Ids of ${component} may have ${model.id.maxLength} characters, and this server takes ${longest} in a step of a path. ` +
      `Make it Fastify({ routerOptions: { maxParamLength: ${2 * model.id.maxLength} } }), or give the model id: { type: 'text', maxLength: ${Math.floor(longest / 2)} }.`,
  )
}
