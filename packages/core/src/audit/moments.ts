import type { Connection } from '../engine/engine.ts'
import { GoneError, InvalidQueryError, UsageError } from '../errors.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { allOf, equals, everything, type Filter } from '../query/filter.ts'
import { positionField } from '../query/log-position.ts'
import { countRows, selectRows } from '../query/rows.ts'
import { runTask, type Task } from '../session/task.ts'
import type { AuditOrder } from './audit-order.ts'
import { ofAnyComponent } from './positions.ts'

/** A cut in history: what stands at this position or before it had happened, and the rest had not. */
export interface Moment {
  readonly time: Date
  readonly position: number
}

/** What the place of an instant is looked for in. */
export interface Timeline {
  readonly log: BoundTable
  readonly head: BoundTable
  readonly order: Pick<AuditOrder, 'waitUntilSealed' | 'positionAt'>
}

/** Finds the place of instants in the one order of history. */
export class Moments {
  readonly log: BoundTable
  readonly #timeline: Timeline
  readonly #isInside: () => boolean

  /** @param isInside whether the running code is in a unit of work, in which nobody waits for seals */
  constructor(timeline: Timeline, isInside: () => boolean) {
    this.log = timeline.log
    this.#timeline = timeline
    this.#isInside = isInside
  }

  /**
   * The moment at an instant. Waits until the history up to it stays as it is.
   * @throws InvalidQueryError for an instant that is none, or still to come; UsageError `outer_handle` where it would have to be waited
   * for inside a unit of work
   */
  async at(time: Date): Promise<Moment> {
    requirePast(time)
    const { log, order } = this.#timeline
    await order.waitUntilSealed(time)
    if (this.#isInside() && (await log.engine.read((connection) => runTask(isPending(log, connection, time))))) {
      throw new UsageError(
        'outer_handle',
        'What has happened in the last second is not sealed yet, and a transaction cannot wait for that. Ask outside of it, or for an earlier time.',
      )
    }
    return { time, position: await order.positionAt(time) }
  }

  /** Throws GoneError where the log does not reach back to a moment. Asks what the moment's own reading sees. */
  *requireRetained(connection: Connection, { time, position }: Moment): Task<void> {
    const { head } = this.#timeline
    const [row] = yield* selectRows(head, connection, undefined, { filter: everything, includeDeleted: true, order: [] })
    // The one row was made with the tables.
    if (position + 1 >= Number(row?.['retained_below'] ?? 0)) return
    throw new GoneError(`The history of ${time.toISOString()} has been removed from the log. Ask for a later time.`)
  }
}

/** Whether an entry of that time or before has no position yet. */
function* isPending(log: BoundTable, connection: Connection, time: Date): Task<boolean> {
  const until: Filter = { type: 'compare', field: 'timestamp', comparison: 'lte', value: time }
  const filter = allOf(yield* ofAnyComponent(log, connection), equals(positionField, null), until)
  return (yield* countRows(log, connection, undefined, { filter, includeDeleted: true }, 1)) > 0
}

function requirePast(time: unknown): void {
  if (!(time instanceof Date) || Number.isNaN(time.getTime()))
    throw new InvalidQueryError('A time in the past is a valid Date, or text as in RFC 3339.')
  if (time.getTime() > Date.now()) throw new InvalidQueryError('This time is still to come. Ask for one that has passed.')
}
