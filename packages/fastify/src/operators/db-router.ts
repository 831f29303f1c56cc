import { operatorRoutes, type ResponseStyle } from '@strongroom/contract'
import type { Storage } from '@strongroom/core'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { settleIn } from '../guest-scope.ts'
import { mountRoutes } from '../mount.ts'
import { defaultBodyLimit } from '../options.ts'
import { refuse, refuseUnknown, wholeNumber } from '../refuse.ts'
import { resolveResponseStyle } from '../response-style.ts'
import { type AuditLimits, listAudit } from './audit.ts'
import { drawDiagram } from './diagram.ts'
import { checkOperators, type Operators } from './guard.ts'
import { databaseHealth } from './health.ts'

/** What the operators' routes can be told. */
export interface DbRouterOptions {
  /** Audit entries that are answered where the query does not say; 100 unless said. */
  readonly auditDefaultLimit?: number | undefined
  /** The most audit entries that one answer has; 1000 unless said. */
  readonly auditMaxLimit?: number | undefined
  /** Who may use them. Has to be said in production. */
  readonly operators?: Operators | undefined
  /** The storage; `app.storage` unless said. */
  readonly storage?: Storage | undefined
  /** `envelope` puts every answer into an envelope; `bare` unless said. */
  readonly responses?: ResponseStyle | undefined
}

const known = ['auditDefaultLimit', 'auditMaxLimit', 'operators', 'storage', 'responses']

/**
 * The operators' routes as a Fastify plugin, for those who mount them by hand.
 *
 * @throws UsageError `invalid_options`: in production without `operators`, and, when it is registered, without a storage
 * @example await app.register(dbRouter({ auditMaxLimit: 500, operators: 'loopback' }), { prefix: '/operations' })
 */
export function dbRouter(options: DbRouterOptions = {}): FastifyPluginAsync {
  refuseUnknown('dbRouter', options, known)
  const limits = auditLimits(options)
  const operators = checkOperators(options.operators)
  const responses = resolveResponseStyle(options.responses)
  return async (scope) => {
    const storage = options.storage ?? (scope.hasDecorator('storage') ? scope.storage : undefined)
    if (!storage) refuse('dbRouter finds no app.storage. Call bootstrap first, or give it a storage: dbRouter({ storage }).')
    settleIn(scope, responses)
    mountOperators(scope, storage, operators, limits)
  }
}

/** How many audit entries are answered. */
export function auditLimits({ auditDefaultLimit, auditMaxLimit = 1000 }: DbRouterOptions): AuditLimits {
  const maxLimit = wholeNumber('auditMaxLimit', auditMaxLimit)
  const defaultLimit = wholeNumber('auditDefaultLimit', auditDefaultLimit ?? Math.min(100, maxLimit))
  if (defaultLimit > maxLimit) refuse('auditDefaultLimit is larger than auditMaxLimit.')
  return { defaultLimit, maxLimit }
}

/** Mounts the operators' routes in a scope that is settled already. */
export function mountOperators(scope: FastifyInstance, storage: Storage, operators: Operators, limits: AuditLimits): void {
  if (operators === 'loopback') {
    scope.log.warn(
      `OPERATORS WITHOUT A LOGIN: ${scope.prefix}/* answers every program on this machine, and nobody else, because no authentication is configured.`,
    )
  }
  mountRoutes(
    scope,
    operatorRoutes,
    {
      health: databaseHealth(storage, operators),
      audit: listAudit(storage, operators, limits),
      diagram: drawDiagram(storage, operators),
    },
    defaultBodyLimit,
  )
}
