import type { Connection } from '../engine/engine.ts'
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
  const options = { filter: everything, includeDeleted: true, order: [], columns: chainHeadColumns, lock }
  const [row] = yield* selectRows(head, connection, undefined, options)
  if (row) return chainHead(row)
  throw new StorageUnavailableError('storage_unavailable', 'The audit log has lost its head row. Restore the database from a backup.')
}

/** Writes where the log stands now. */
export function* writeHead(head: BoundTable, connection: Connection, stand: ChainHead, sealedAt: Date): Task<void> {
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
  const encoded = names.map((name) => head.encode(name, values[name]))
  yield* wait(connection.run(bind(shape, encoded)))
}
