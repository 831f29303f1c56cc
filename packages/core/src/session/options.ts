import { ValidationError } from '../errors.ts'
import { makeUuid } from '../model/uuid.ts'
import type { CallerContext, UnitContext } from './context.ts'
import type { Session } from './session.ts'

/** What every write may say about itself. Inside a transaction or hook, what is not said is taken from there. */
export interface WriteOptions {
  /** Who does it, as it stands in stamps and audit entries; `internal` when nobody says. */
  readonly actor?: string
  /** Runs everything, hooks and audit included, then rolls back and answers what would have been. */
  readonly dryRun?: boolean
  /** Names the request in the audit entries. */
  readonly requestId?: string
  /** The authenticated caller; a `createdBy` reference is filled with its `id`. */
  readonly principal?: unknown
  readonly tenant?: string
  readonly traceId?: string
}

/** For whom something is read. Inside a transaction or hook, what is not said is taken from there. */
export type ReadOptions = Pick<WriteOptions, 'principal' | 'tenant'>

const nobody: CallerContext = { principal: undefined, tenant: null }

/** The caller of a read: who is said here, else the session's, else nobody in particular. */
export function callerContext({ principal, tenant }: ReadOptions, session: Session | undefined): CallerContext {
  const around = session?.context ?? nobody
  if (principal === undefined && tenant === undefined) return around
  return { principal: principal ?? around.principal, tenant: tenant ?? around.tenant }
}

/** The context of a new unit, or of a nested session: what is said here, else what the outer session has. */
export function unitContext(options: WriteOptions, outer: Session | undefined): UnitContext {
  checkName('actor', options.actor)
  checkName('requestId', options.requestId)
  const around = outer?.context
  return {
    actor: options.actor ?? around?.actor ?? 'internal',
    principal: options.principal ?? around?.principal,
    tenant: options.tenant ?? around?.tenant ?? null,
    requestId: options.requestId ?? around?.requestId ?? null,
    traceId: options.traceId ?? around?.traceId ?? null,
    unitId: around?.unitId ?? makeUuid(),
    dryRun: options.dryRun ?? around?.dryRun ?? false,
  }
}

/** Characters that an actor or request id may have: it stands in every audit entry. */
const longestName = 255

function checkName(name: string, value: string | undefined): void {
  if (value === undefined) return
  if (typeof value === 'string' && value !== '' && value.length <= longestName && !value.includes('\0') && value.isWellFormed()) return
  throw new ValidationError([{ path: name, message: `must be text of 1 to ${longestName} characters, without NUL or lone surrogates` }])
}
