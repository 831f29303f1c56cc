import { setImmediate as nextTurn } from 'node:timers/promises'
import { ConflictError } from '../errors.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { selectPage } from '../query/page.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import type { RevertTask } from './selection.ts'

/** The records that changes are about: by component and the id's text, the id of the first of the entries. */
export type Affected = ReadonlyMap<string, ReadonlyMap<string, number>>

/** An entry about no record. */
export interface AsideEntry {
  readonly id: number
  readonly component: string
}

/** Entries that are read at a time. */
const batchSize = 1_000

/** Finds the records that entries are about, of those that the caller may read; entries about none are handed to `aside`. */
export function* affectedRecords(
  log: BoundTable,
  session: Session,
  { filter, keys, atMost }: RevertTask,
  aside: (entry: AsideEntry) => void,
): Task<Affected> {
  const affected = new Map<string, Map<string, number>>()
  const columns = ['id', 'component', 'record_id', 'timestamp']
  const context = { ...session.context, asked: true }
  let count = 0
  for (let after: string | undefined; ; ) {
    const page = yield* selectPage(log, session.connection, context, {
      filter,
      includeDeleted: true,
      keys,
      columns,
      limit: batchSize,
      after,
    })
    for (const row of page.rows) {
      // The rows were read through AuditLog, whose fields have these types.
      const { id, component, record_id: recordId } = row as { id: number; component: string; record_id: string | null }
      if (recordId === null) {
        aside({ id, component })
        continue
      }
      const records = affected.get(component) ?? new Map<string, number>()
      affected.set(component, records)
      const known = records.get(recordId)
      if (known === undefined && ++count > atMost) throw tooMany(atMost)
      // For each record the order of ids is that of its writes; a clock may have been set back.
      records.set(recordId, Math.min(id, known ?? id))
    }
    after = page.next
    if (after === undefined) return affected
    yield* wait(nextTurn())
  }
}

function tooMany(atMost: number): ConflictError {
  return new ConflictError(
    'too_many_matches',
    `More than ${atMost} records were changed, and none was brought back. Undo less, or say how many there may be.`,
  )
}
