import { firstFrom } from '../audit/positions.ts'
import type { LogTables } from '../audit/seal-pending.ts'
import { GoneError } from '../errors.ts'
import { allOf, equals, everything } from '../query/filter.ts'
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
  const connection = wholeLog(session)
  const [row] = yield* selectRows(head, connection, nobody, { ...all, filter: everything })
  const below = Number(row?.['retained_below'] ?? 0)
  const first = below > 1 ? yield* firstFrom(log, connection, below) : undefined
  if (!first) return
  if (since === undefined) {
    const its = { ...all, filter: allOf(filter, equals(positionField, first.seq)) }
    if ((yield* countRows(log, connection, nobody, its, 1)) > 0)
      throw new GoneError('The beginning of what is to be undone may have been removed from the log, and the rest is not undone alone.')
  } else if (since < first.effective_at) {
    throw new GoneError(
      `What was done before ${first.effective_at.toISOString()} has been removed from the log. Undo what was done since then.`,
    )
  }
}
