import { type OperatorOperation, operatorRoutes, type ResponseStyle, type Route } from '@strongroom/contract'
import type { Storage } from '@strongroom/core'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { ActorOf } from '../actor.ts'
import type { Authentication } from '../auth/authentication.ts'
import { allOnBehalf } from '../auth/identity.ts'
import { followChanges } from '../changes/follow-changes.ts'
import { settleIn } from '../guest-scope.ts'
import { type Handlers, mountRoutes } from '../mount.ts'
import { defaultBodyLimit, defaultUploadLimit } from '../options.ts'
import { refuse, refuseUnknown, wholeNumber } from '../refuse.ts'
import { setComponent } from '../request-facts.ts'
import { resolveResponseStyle } from '../response-style.ts'
import { receiveUploads } from '../upload/receive-uploads.ts'
import { type AuditLimits, listAudit } from './audit.ts'
import { downloadBackup } from './backup.ts'
import { listBackups } from './backups.ts'
import { drawDiagram } from './diagram.ts'
import { Downloads } from './downloads.ts'
import { auditCheckpoint, auditProof, verifyAudit } from './evidence.ts'
import { explainAccess } from './explain-access.ts'
import { exportTables } from './export.ts'
import { checkOperators, type Operators, requireOperator } from './guard.ts'
import { databaseHealth } from './health.ts'
import { importFiles } from './import.ts'
import { cancelJob, getJob, listJobs } from './jobs.ts'
import { type RestoreSettings, restoreDatabase, undoRestore } from './restore.ts'
import { revertChanges } from './revert.ts'

/** What the operators' routes can be told. */
export interface DbRouterOptions {
  /** Audit entries that are answered where the query does not say; 100 unless said. */
  readonly auditDefaultLimit?: number | undefined
  /** The most audit entries that one answer has; 1000 unless said. */
  readonly auditMaxLimit?: number | undefined
  /** Who may use them. Has to be said in production. */
  readonly operators?: Operators | undefined
  /** Names whoever writes, from the host's own login; the `X-User` header, else `operator`, where it is left out. */
  readonly actor?: ActorOf | undefined
  /** Bytes that the file of an upload may have; 64 GiB unless said. */
  readonly uploadLimit?: number | undefined
  /** The storage; `app.storage` unless said. */
  readonly storage?: Storage | undefined
  /** `envelope` puts every answer into an envelope; `bare` unless said. */
  readonly responses?: ResponseStyle | undefined
}

const known = ['auditDefaultLimit', 'auditMaxLimit', 'operators', 'actor', 'uploadLimit', 'storage', 'responses']

/**
 * The operators' routes as a Fastify plugin, for those who mount them by hand.
 *
 * @throws UsageError `invalid_options`: in production without `operators`, and, when it is registered, without a storage
 * @example await app.register(dbRouter({ auditMaxLimit: 500, operators: 'loopback' }), { prefix: '/operations' })
 */
export function dbRouter(options: DbRouterOptions = {}): FastifyPluginAsync {
  refuseUnknown('dbRouter', options, known)
  const { actor } = options
  if (actor !== undefined && typeof actor !== 'function') refuse('actor is a function of the request that answers a name.')
  const settings = {
    limits: auditLimits(options),
    operators: checkOperators(options.operators),
    actor,
    uploadLimit: wholeNumber('uploadLimit', options.uploadLimit ?? defaultUploadLimit),
  }
  const responses = resolveResponseStyle(options.responses)
  return async (scope) => {
    const storage = options.storage ?? (scope.hasDecorator('storage') ? scope.storage : undefined)
    if (!storage) refuse('dbRouter finds no app.storage. Call bootstrap first, or give it a storage: dbRouter({ storage }).')
    settleIn(scope, responses)
    mountOperators(scope, storage, settings)
  }
}

/** How many audit entries are answered. */
export function auditLimits({ auditDefaultLimit, auditMaxLimit = 1000 }: DbRouterOptions): AuditLimits {
  const maxLimit = wholeNumber('auditMaxLimit', auditMaxLimit)
  const defaultLimit = wholeNumber('auditDefaultLimit', auditDefaultLimit ?? Math.min(100, maxLimit))
  if (defaultLimit > maxLimit) refuse('auditDefaultLimit is larger than auditMaxLimit.')
  return { defaultLimit, maxLimit }
}

/** What the operators' routes stand on. */
export interface OperatorSettings extends RestoreSettings {
  readonly auth?: Authentication | undefined
  readonly limits: AuditLimits
}

/** Mounts the operators' routes in a scope that is settled already. */
export function mountOperators(scope: FastifyInstance, storage: Storage, settings: OperatorSettings): void {
  const { operators, limits } = settings
  setComponent(scope, 'db')
  if (operators === 'loopback') {
    scope.log.warn(
      `OPERATORS WITHOUT A LOGIN: ${scope.prefix}/* answers every program on this machine, and nobody else, because no authentication is configured.`,
    )
  }
  const closing = closingSignal(scope)
  const downloads = new Downloads()
  const handlers: Handlers<OperatorOperation> = allOnBehalf(settings.auth, storage, {
    health: databaseHealth(storage, operators),
    audit: listAudit(storage, operators, limits),
    verifyAudit: verifyAudit(storage, operators),
    auditCheckpoint: auditCheckpoint(storage, operators),
    auditProof: auditProof(storage, operators),
    changes: followChanges(scope, {
      feed: () => storage.feed,
      storage,
      auth: settings.auth,
      check: (request) => requireOperator(operators, request),
    }),
    diagram: drawDiagram(storage, operators),
    export: exportTables(storage, operators, downloads),
    import: importFiles(storage, settings, closing),
    jobs: listJobs(storage, operators),
    job: getJob(storage, operators),
    cancelJob: cancelJob(storage, operators, closing),
    explainAccess: explainAccess(storage, operators),
    backup: downloadBackup(storage, operators, downloads),
    backups: listBackups(storage, operators),
    restore: restoreDatabase(storage, settings),
    undoRestore: undoRestore(storage, settings),
    revert: revertChanges(storage, settings),
  })
  const isUpload = ({ body }: Route): boolean => body?.mediaTypes.includes('multipart/form-data') === true
  mountRoutes(
    scope,
    operatorRoutes.filter((route) => !isUpload(route)),
    handlers,
    defaultBodyLimit,
  )
  scope.register(async (uploads) => {
    receiveUploads(uploads)
    mountRoutes(uploads, operatorRoutes.filter(isUpload), handlers, defaultBodyLimit)
  })
}

/** Is aborted when the server is asked to close: nobody is to wait for a job then. */
function closingSignal(scope: FastifyInstance): AbortSignal {
  const closing = new AbortController()
  scope.addHook('preClose', async () => closing.abort())
  return closing.signal
}
