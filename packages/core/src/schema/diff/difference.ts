import type { TableChanges } from '../change/table-changes.ts'

/**
 * What a difference asks for. `safe`: it can be made away with at the start, nothing is lost and nothing refused. `migration`: it could
 * lose or refuse data, or ends what older programs rely on. `impossible`: no change of the table does it. `leftover`: the table serves the
 * model as it is.
 */
export type Effect = 'safe' | 'migration' | 'impossible' | 'leftover'

/** How a table differs from what a model wants, in one point. */
export interface Difference {
  readonly table: string
  readonly sentence: string
  readonly effect: Effect
  /** What makes away with it. */
  readonly changes: TableChanges
}
