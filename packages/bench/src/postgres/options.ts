import type { RoundOptions } from '../beside-hand/rounds.ts'

export interface PostgresBenchOptions extends RoundOptions {
  /** Of one side of a round. */
  readonly seconds: number
  /** How many operations are under way at once, each with a connection; over HTTP how many clients there are. */
  readonly connections: readonly number[]
  /** Some of get, list, insert, update and delete. */
  readonly operations: readonly string[]
  /** Some of accessor and http. */
  readonly parts: readonly string[]
  readonly report: (line: string) => void
}

/** Two schemas with the same tables and records. */
export interface TwoDatabases {
  readonly ours: string
  readonly theirs: string
  readonly records: number
}
