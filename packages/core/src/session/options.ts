import { ValidationError } from '../errors.ts'
import { makeUuid } from '../model/uuid.ts'
import type { AccessMode, CallerContext, UnitContext } from './context.ts'
import { everyTenant, type Principal } from './principal.ts'

/** What every write may say about itself. Inside a transaction or hook, what is not said is taken from there. */
export interface WriteOptions {
  /** Who does it, as it stands in stamps and audit entries; `internal` when nobody says. */
  readonly actor?: string
  /** Runs everything, hooks and audit included, then rolls back and answers what would have been. */
  readonly dryRun?: boolean
  /** Names the request in the audit entries. */
  readonly requestId?: string
  /** The authenticated caller: rules of access decide what it may do, and a `createdBy` reference is filled with its `id`. */
  readonly principal?: Principal
  /** Holds everything to the records of this tenant; the principal's unless said. */
  readonly tenant?: string
  /** `system`: the code acts for itself, and the principal's rules do not hold for this call and what is nested in it; `caller` unless said. */
  readonly access?: AccessMode
  readonly traceId?: string
}

/** On whose behalf code runs. */
export type CallerOptions = Omit<WriteOptions, 'dryRun'>

/** For whom something is read. Inside a transaction or hook, what is not said is taken from there. */
export type ReadOptions = Pick<WriteOptions, 'principal' | 'tenant' | 'access'>

/** Who acts around a call: a session's context, or what `actingAs` was told, which is no unit yet. */
export type Around = CallerContext & Partial<Omit<UnitContext, keyof CallerContext>>

const nobody: CallerContext = { principal: undefined, tenant: null, access: 'caller' }

/** The caller of a read: who is said here, else whoever acts around it, else nobody in particular. */
export function callerContext({ principal, tenant, access }: ReadOptions, around: Around = nobody): CallerContext {
  if (principal === undefined && tenant === undefined && access === undefined) return around
  return { principal: principal ?? around.principal, tenant: tenantOf(tenant, principal, around), access: access ?? around.access }
}

/** Inside a transaction of one tenant nobody gets out of it by naming a principal. */
function tenantOf(tenant: string | undefined, principal: Principal | undefined, around: CallerContext): string | null {
  if (tenant !== undefined) return tenant
  const own = principal?.tenant
  return around.tenant ?? (own === everyTenant ? null : (own ?? null))
}

/** The context of a new unit, or of a nested session: what is said here, else what is said around it. */
export function unitContext(options: WriteOptions, around: Around | undefined): UnitContext {
  checkName('actor', options.actor)
  checkName('requestId', options.requestId)
  return {
    actor: options.actor ?? around?.actor ?? 'internal',
    principal: options.principal ?? around?.principal,
    tenant: tenantOf(options.tenant, options.principal, around ?? nobody),
    access: options.access ?? around?.access ?? 'caller',
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

/** Who acts where no session is: a caller that is no unit yet. */
export function actingContext(options: WriteOptions, around: Around | undefined): Around {
  const { unitId: _unit, dryRun: _dryRun, ...caller } = unitContext(options, around)
  return caller
}
