import { UsageError, ValidationError } from '../errors.ts'
import { makeUuid } from '../model/uuid.ts'
import type { AccessMode, CallerContext, UnitContext } from './context.ts'
import { Memory } from './memory.ts'
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
export function callerContext(options: ReadOptions, around: Around = nobody): CallerContext {
  checkCaller(options)
  const { principal, tenant, access } = options
  if (principal === undefined && tenant === undefined && access === undefined) return around
  return callerWithin(options, around)
}

function callerWithin({ principal, tenant, access }: ReadOptions, around: CallerContext): CallerContext & { readonly memory: Memory } {
  return {
    principal: principal ?? around.principal,
    tenant: tenantOf(tenant, principal, around),
    // Whoever is named is held to the rules, also by code that acts for itself.
    access: access ?? (principal ? 'caller' : around.access),
    memory: (principal ? undefined : around.memory) ?? new Memory(),
  }
}

/** Inside a transaction of one tenant nobody gets out of it by naming a principal. */
function tenantOf(tenant: string | undefined, principal: Principal | undefined, around: CallerContext): string | null {
  if (tenant !== undefined) return String(tenant)
  const own = principal?.tenant ?? null
  // A tenant without a name is none, and whoever has none has none of the records.
  return around.tenant ?? (own === null || own === everyTenant || String(own) === '' ? null : String(own))
}

/**
 * Refuses what would let somebody through by mistake: a caller that is named and is not there is `{ id: null }`, and not the code itself.
 * Throws UsageError `invalid_options`.
 */
function checkCaller(options: ReadOptions): void {
  const { principal, tenant, access } = options
  // What code without types gives.
  const given: { readonly tenant: unknown; readonly access: unknown } = { tenant, access }
  if (given.access !== undefined && given.access !== 'caller' && given.access !== 'system') refuse("access is 'caller' or 'system'.")
  if (given.tenant !== undefined && !isTenant(given.tenant)) refuse('tenant is the name of one, or left out.')
  if (!Object.hasOwn(options, 'principal')) return
  if (typeof principal !== 'object' || principal === null)
    refuse('principal is an object with an id. For a caller whom nobody knows it is { id: null }; code that acts for itself leaves it out.')
  const own: unknown = principal.tenant
  if (own !== undefined && own !== null && own !== '' && !isTenant(own)) refuse('The tenant of a principal is text.')
}

/** Numbers are taken for models whose tenants are counted. */
function isTenant(tenant: unknown): boolean {
  return (typeof tenant === 'string' && tenant !== '') || Number.isSafeInteger(tenant)
}

function refuse(sentence: string): never {
  throw new UsageError('invalid_options', sentence)
}

/** The context of a new unit, or of a nested session: what is said here, else what is said around it. */
export function unitContext(options: WriteOptions, around: Around | undefined): UnitContext {
  checkName('actor', options.actor)
  checkName('requestId', options.requestId)
  checkCaller(options)
  return {
    ...callerNamed(options, around),
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
  checkName('actor', options.actor)
  checkName('requestId', options.requestId)
  checkCaller(options)
  return callerNamed(options, around)
}

/** Who acts, and what names it in what it writes. */
function callerNamed(options: WriteOptions, around: Around | undefined) {
  const { principal, tenant, access, memory } = callerWithin(options, around ?? nobody)
  return {
    principal,
    tenant,
    access,
    memory,
    actor: options.actor ?? around?.actor ?? 'internal',
    requestId: options.requestId ?? around?.requestId ?? null,
    traceId: options.traceId ?? around?.traceId ?? null,
  }
}
