import type { NamedTable } from '../../schema/wanted-table.ts'
import type { ToldError } from '../worker/messages.ts'
import type { MoveProgress, MoveReport } from './move.ts'

/** A move, in plain data: a thread of its own does it. */
export interface MoveTask {
  readonly from: string
  readonly to: string
  /** What is known of the tables beside what the source remembers. */
  readonly known: readonly NamedTable[]
  readonly leaveOthers: boolean
  readonly restart: boolean
}

/** What the thread tells the main one. It waits after each progress until that is heard. */
export type FromMover =
  | { readonly type: 'progress'; readonly progress: MoveProgress }
  | { readonly type: 'done'; readonly report: MoveReport }
  | { readonly type: 'failed'; readonly error: ToldError }

/** What the main thread answers to a progress. */
export interface ToMover {
  readonly goOn: boolean
}
