/** An authenticated caller. What it may read and write is decided by the rules of access. */
export interface Principal {
  /** The id of the caller's record, with which `createdBy` references are filled; null for a caller whom nobody knows. */
  readonly id: number | string | null
  /** Stands in stamps and audit entries. */
  readonly name?: string
  readonly roles?: readonly string[]
  /**
   * What a token or key was narrowed to, as `component:operation`: `users:read`, `users:write`, `*:read`, `db:audit`. What they do not name
   * is denied, whatever the rules say; without them nothing is.
   */
  readonly scopes?: readonly string[]
  /** The tenant that the caller belongs to; `'*'` for one who works for all of them. */
  readonly tenant?: string | null
}

/** Stands for every tenant, as the tenant of a principal. */
export const everyTenant = '*'
