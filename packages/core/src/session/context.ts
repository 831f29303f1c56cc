import type { TimeBudget } from '../engine/time-budget.ts'

/** On whose behalf something is read or written: what decides which records exist for the caller. */
export interface CallerContext {
  /** The authenticated caller, where there is one (permissions read it). */
  readonly principal: unknown
  /** The tenant that the caller is bound to, or null. */
  readonly tenant: string | null
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
