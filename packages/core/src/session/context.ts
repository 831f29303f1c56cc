import type { TimeBudget } from '../engine/time-budget.ts'
import type { Memory } from './memory.ts'
import type { Principal } from './principal.ts'

/** `caller`: the principal's rules hold. `system`: they do not, and the actor stays the same. */
export type AccessMode = 'caller' | 'system'

/** On whose behalf something is read or written: what decides which records exist for the caller. */
export interface CallerContext {
  /** The authenticated caller, where there is one. */
  readonly principal: Principal | undefined
  /** The tenant that every statement is held to, or null for all of them. */
  readonly tenant: string | null
  /** Whether the rules of access hold: they do for a principal, unless the code that calls says that it acts for itself. */
  readonly access: AccessMode
  /** What the rules said is remembered as long as this lives: a call, a unit, or what `actingAs` runs. */
  readonly memory?: Memory
  /** The principal asks for these very records: what may be read decides. What the library reads for its own ends is whole. */
  readonly asked?: boolean
  /** What is left of the time that the caller's read may take; the library's own reads have no limit. */
  readonly time?: TimeBudget
}

/** Who and what a unit of work is for: one object from the route to the audit entry. */
export interface UnitContext extends CallerContext {
  /** Names the actor in stamps and audit entries. */
  readonly actor: string
  readonly requestId: string | null
  readonly traceId: string | null
  /** Names the unit; it is the audit entries' transaction_id. */
  readonly unitId: string
  /** Everything runs, hooks and audit included, and is then rolled back. */
  readonly dryRun: boolean
}
