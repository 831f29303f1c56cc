/** Who and what a unit of work is for: one object from the route to the audit entry. */
export interface UnitContext {
  /** Names the actor in stamps and audit entries. */
  readonly actor: string
  /** The authenticated caller, where there is one (permissions read it). */
  readonly principal: unknown
  /** The tenant that the unit is bound to, or null. */
  readonly tenant: string | null
  readonly requestId: string | null
  readonly traceId: string | null
  /** Names the unit; it is the audit entries' transaction_id. */
  readonly unitId: string
  /** Everything runs, hooks and audit included, and is then rolled back. */
  readonly dryRun: boolean
}
