import type { CheckedHead } from '../audit/log-check.ts'
import type { LogTables } from '../audit/seal-pending.ts'
import { ConflictError, StorageBusyError, StorageUnavailableError } from '../errors.ts'
import { BlockLeaves } from './block-leaves.ts'

/** The columns of the head that evidence rests on. */
export const headColumns = ['origin', 'epoch', 'seq', 'hash', 'retained_below', 'retained_hash', 'retained_roots'] as const

async function readHead({ head }: LogTables): Promise<CheckedHead> {
  const statement = head.engine.builder.selectFrom(head.model.name).select(headColumns).compile()
  const [row] = await head.engine.read((connection) => connection.all(statement))
  // A row of these columns has these types.
  if (row) return row as unknown as CheckedHead
  throw new StorageUnavailableError('storage_unavailable', 'The audit log has lost its head row. Restore the database from a backup.')
}

/** A log's tree at a position, with the head that it was read under. */
export interface LogTree {
  readonly head: CheckedHead
  readonly size: number
  readonly leaves: BlockLeaves
}

/** Tries while restores and retention come in between. */
const tries = 3

/**
 * Reads the tree of a log up to a position, where it stands now unless said.
 * @throws ConflictError where the log has no tree of that size
 */
export async function readTree(tables: LogTables, wanted?: number): Promise<LogTree> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const head = await readHead(tables)
    const size = wanted ?? head.seq
    const leaves = await BlockLeaves.upTo(size, head, tables)
    const after = await readHead(tables)
    if (after.epoch !== head.epoch || after.retained_below !== head.retained_below) continue
    if (leaves) return { head, size, leaves }
    throw new ConflictError(
      'state_conflict',
      `The log has no root at position ${size}: it goes on to ${head.seq}, and its entries are kept from ${Math.max(1, head.retained_below)} on.`,
    )
  }
  throw new StorageBusyError('The log was replaced, or its first entries were removed, while it was read. Try again.')
}
