import { refuseRepeats } from './accessor/refuse-repeats.ts'
import { databaseFile } from './engine/open-engine.ts'
import { UsageError } from './errors.ts'
import type { AnyAccessor } from './options.ts'
import { tableOf } from './schema/wanted-table.ts'
import type { MoveProgress, MoveReport } from './transfer/move/move.ts'
import { moveInThread } from './transfer/move/move-in-thread.ts'

/** From where to where a database is moved. */
export interface MoveOptions {
  /** `sqlite:./app.db` or `postgres://user:password@host/database`: it is only read. */
  readonly from: string
  /** An empty database, or a file that there is not yet. */
  readonly to: string
  /** The models, for databases that no version has opened which remembers the kinds of values in its tables. */
  readonly accessors?: readonly AnyAccessor[] | undefined
  /** Tables that no model has stay behind; without it they are refused. */
  readonly leaveOthers?: boolean | undefined
  /** Removes what a move that did not come to its end has left in the target, and begins anew. */
  readonly restart?: boolean | undefined
  /** Ends the work between two batches; the next move goes on with it. */
  readonly signal?: AbortSignal | undefined
  /** Is told how far it is, some hundred times a second at most. A throw ends the work, as `signal` does. */
  readonly onProgress?: ((progress: MoveProgress) => void) | undefined
}

const optionNames = ['from', 'to', 'accessors', 'leaveOthers', 'restart', 'signal', 'onProgress']

/**
 * Moves a database to another engine, or to another place: tables, records, the audit log with its chain, and the counters of ids, as they
 * are at one moment, in constant memory. Then both are read from end to end, and each table's number of records and hash of content
 * compared. A thread of its own does it. What was ended in the middle goes on where it was, as long as the source has not changed.
 *
 * Stop what writes to the source first: what is written after the moment is not in the target.
 *
 * @throws UsageError `invalid_options` for options that cannot work, and for tables that no model has
 * @throws ConflictError `state_conflict` where the target is not empty, or has an unfinished move of something else
 * @throws StorageUnavailableError, StorageBusyError where one of them cannot be reached
 * @example
 * const { tables } = await moveDatabase({ from: 'sqlite:./app.db', to: 'postgres://localhost/app' })
 */
export async function moveDatabase(options: MoveOptions): Promise<MoveReport> {
  const stranger = Object.keys(options).find((name) => !optionNames.includes(name))
  if (stranger !== undefined) throw refused(`"${stranger}" is no option of moveDatabase. There are ${optionNames.join(', ')}.`)
  const { from, to, accessors = [], leaveOthers = false, restart = false, signal, onProgress = () => undefined } = options
  for (const [name, url] of Object.entries({ from, to })) {
    if (typeof url !== 'string' || url === '') throw refused(`moveDatabase needs ${name}, e.g. "sqlite:./app.db".`)
    if (/:memory:/.test(url)) throw refused(`A database in memory can be seen by nobody else: ${name} cannot be one.`)
  }
  refuseRepeats(accessors)
  // A URL of no engine is refused here.
  for (const url of [from, to]) databaseFile(url)
  const known = accessors.map(({ model }) => tableOf(model))
  return await moveInThread({ from, to, known, leaveOthers, restart }, { signal, onProgress })
}

function refused(sentence: string): UsageError {
  return new UsageError('invalid_options', sentence)
}
