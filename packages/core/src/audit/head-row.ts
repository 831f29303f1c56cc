import type { Connection, Statement } from '../engine/engine.ts'
import { StorageUnavailableError } from '../errors.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { everything } from '../query/filter.ts'
import { selectRows } from '../query/rows.ts'
import { bind, Slot, shapeOf } from '../query/shape.ts'
import { type Task, wait } from '../session/task.ts'
import { type ChainHead, chainHead, chainHeadColumns } from './chain.ts'

/**
 * Reads where the log stands, within a unit: another process may have written since the last one, and a rolled back savepoint takes it
 * back. `lock` keeps others from doing the same until the unit ends, where units overlap.
 */
export function* readHead(head: BoundTable, connection: Connection, lock = false): Task<ChainHead> {
  // Whoever noted it noted where the log stands.
  const noted = connection.late?.value as ChainHead | undefined
  if (noted) return noted
  const options = { filter: everything, includeDeleted: true, order: [], columns: chainHeadColumns, lock }
  const [row] = yield* selectRows(head, connection, undefined, options)
  if (row) return chainHead(row)
  throw new StorageUnavailableError('storage_unavailable', 'The audit log has lost its head row. Restore the database from a backup.')
}

/** Writes where the log stands now; once for all units of a commit, where they share one. */
export function* writeHead(head: BoundTable, connection: Connection, stand: ChainHead, sealedAt: Date): Task<void> {
  const statement = (): Statement => headStatement(head, stand, sealedAt)
  if (connection.late) connection.late.note(stand, statement)
  else yield* wait(connection.run(statement()))
}

function headStatement(head: BoundTable, stand: ChainHead, sealedAt: Date): Statement {
  const values: FieldValues = { ...stand, sealed_at: sealedAt }
  const names = Object.keys(values)
  const shape = head.shapes.get(`advance ${names.join()}`, () =>
    shapeOf(
      head.engine.builder
        .updateTable(head.model.name)
        .set(Object.fromEntries(names.map((name, index) => [name, new Slot(index)])))
        .compile(),
    ),
  )
  return bind(
    shape,
    names.map((name) => head.encode(name, values[name])),
  )
}
