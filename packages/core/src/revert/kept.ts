import type { LogTables } from '../audit/seal-pending.ts'
import { GoneError } from '../errors.ts'
import { allOf, equals, everything, type Filter } from '../query/filter.ts'
import { positionField } from '../query/log-position.ts'
import { countRows, selectRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import { nobody, wholeLog } from './examine.ts'
import type { RevertTask } from './selection.ts'

/**
 * Throws GoneError where retention may have removed a part of what is to be undone: the rest alone would be half of it, and nobody would be
 * told. Where a batch or request begins with the first entry that is left, more of it may have stood before.
 */
export function* requireKept({ log, head }: LogTables, session: Session, { filter, since }: RevertTask): Task<void> {
  const all = { includeDeleted: true, order: [] }
  const [row] = yield* selectRows(head, wholeLog(session), nobody, { ...all, filter: everything })
  if (Number(row?.['retained_below'] ?? 0) <= 1) return
  const placed: Filter = { type: 'null', field: positionField, negated: true }
  const [first] = yield* selectRows(log, wholeLog(session), nobody, {
    ...all,
    filter: placed,
    order: [{ field: positionField, descending: false }],
    limit: 1,
    columns: ['id', 'timestamp'],
  })
  if (!first) return
  // The row was read through AuditLog, whose fields have these types.
  const { id, timestamp } = first as { id: number; timestamp: Date }
  if (since === undefined) {
    const its = { ...all, filter: allOf(filter, equals('id', id)) }
    if ((yield* countRows(log, wholeLog(session), nobody, its)) > 0)
      throw new GoneError('The beginning of what is to be undone may have been removed from the log, and the rest is not undone alone.')
  } else if (since < timestamp) {
    throw new GoneError(`What was done before ${timestamp.toISOString()} has been removed from the log. Undo what was done since then.`)
  }
}
