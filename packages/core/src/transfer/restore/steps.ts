import { channel } from 'node:diagnostics_channel'

/**
 * Where a restore stands. `received`: the file is in a private folder; `examined`: it may be used; `staged`: a copy of it fits the live
 * database; `held`: writers of this process wait; `filled`: its tables stand beside the live ones (PostgreSQL); `locked`: nobody can
 * write; `kept`: what is replaced is on the disk (SQLite); `prepared`: what has to stay is carried over; `copying`: at work in the live
 * file (SQLite); `replaced`: whoever reads finds the new content; `synced`: it is on the disk, and in the file (SQLite); `done`.
 */
export type RestoreStep =
  | 'received'
  | 'examined'
  | 'staged'
  | 'held'
  | 'filled'
  | 'locked'
  | 'kept'
  | 'prepared'
  | 'copying'
  | 'replaced'
  | 'synced'
  | 'done'

/** What subscribers of the diagnostics channel `strongroom:restore` are given, in the process that restores. */
export interface RestoreStepMessage {
  readonly step: RestoreStep
  /** The id of the request that asked for it; null where there was none. */
  readonly requestId: string | null
}

const steps = channel('strongroom:restore')

/** Tells whoever listens where a restore stands: https://nodejs.org/api/diagnostics_channel.html. */
export function announcerOf(requestId: string | null): (step: RestoreStep) => void {
  return (step) => {
    const message: RestoreStepMessage = { step, requestId }
    steps.publish(message)
  }
}
