import { setImmediate as nextTurn } from 'node:timers/promises'
import { limitsIn } from '../access/audit-access.ts'
import type { BoundAccessor } from '../accessor/bound-accessor.ts'
import { modelFor } from '../accessor/permit.ts'
import type { ArrivalOptions, ChangeEvent, ChangePage, ChangePageOptions, ChangeSource, FollowOptions } from '../audit/change-events.ts'
import { type AuditEntry, auditEntry } from '../audit/entry.ts'
import { firstFrom, ofAnyComponent } from '../audit/positions.ts'
import type { LogTables } from '../audit/seal-pending.ts'
import { shownEntry } from '../audit/shown-entry.ts'
import type { Connection } from '../engine/engine.ts'
import { GoneError, InvalidQueryError, UsageError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, everything, type Filter } from '../query/filter.ts'
import { positionField } from '../query/log-position.ts'
import { selectRows } from '../query/rows.ts'
import { wholeNumber } from '../query/whole-number.ts'
import type { CallerContext } from '../session/context.ts'
import { inContextOfCall } from '../session/in-context.ts'
import type { ReadOptions } from '../session/options.ts'
import type { Task } from '../session/task.ts'
import type { Units } from '../session/units.ts'
import type { Arrivals } from './arrivals.ts'
import { type ChangePlace, readPlace, writePlace } from './change-place.ts'
import { visibleChanges } from './visible-changes.ts'

/** What the feed stands on. */
export interface ChangeFeedParts extends LogTables {
  readonly units: Units
  readonly arrivals: Arrivals
  readonly components: () => readonly BoundAccessor[]
}

/** Changes on a page when nobody says. */
const usualLimit = 100

/** Entries that are looked at for one page, however few of them are for the caller: the event loop waits for SQLite. */
const window = 1_000

/** Changes that are read ahead of who follows them. */
const readAhead = 200

/** Every committed change, in the one order of history. */
export class ChangeFeed implements ChangeSource {
  readonly #parts: ChangeFeedParts

  constructor(parts: ChangeFeedParts) {
    this.#parts = parts
  }

  follow(options: FollowOptions = {}): AsyncGenerator<ChangeEvent, void, undefined> {
    this.#requireOutside()
    return inContextOfCall(this.#follow(options))
  }

  async *#follow({ signal, ...options }: FollowOptions): AsyncGenerator<ChangeEvent, void, undefined> {
    for (let { after } = options; !signal?.aborted; ) {
      const page = await this.page({ ...options, after, limit: readAhead })
      after = page.next
      if (page.reset !== null) yield { type: 'reset', id: page.reset }
      for (const { id, entry } of page.changes) yield { type: 'change', id, entry }
      await (page.isLast ? this.wait(after, { signal }) : nextTurn())
    }
  }

  async page({ after, component, limit = usualLimit, ...caller }: ChangePageOptions = {}): Promise<ChangePage> {
    const { units, components } = this.#parts
    const place = after === undefined || after === 'start' ? after : readPlace(after)
    const most = wholeNumber('limit', limit) ?? usualLimit
    if (most === 0) throw new InvalidQueryError('limit is a whole number from 1 on.')
    const bound = component === undefined ? undefined : components().find((candidate) => candidate.component === component)
    if (component !== undefined && !bound) throw new UsageError('invalid_options', `There is no component "${component}" in this storage.`)
    const reader = anew(units.callerOf(caller))
    if (bound) modelFor(bound, reader)
    return await units.readMoment(reader, (connection, context) => this.#page(connection, context, { place, bound, most }))
  }

  *#page(
    connection: Connection,
    context: CallerContext,
    {
      place,
      bound,
      most,
    }: { readonly place: ChangePlace | 'start' | undefined; readonly bound: BoundAccessor | undefined; readonly most: number },
  ): Task<ChangePage> {
    const stand = yield* this.#stand(connection, context)
    const { epoch } = stand
    const start = startIn(stand, place)
    const isReset = typeof place === 'object' && (place.epoch !== epoch || place.position !== start)
    const reset = isReset ? writePlace({ epoch, position: start }) : null
    const end = bound
      ? yield* this.#endOfWindow(connection, context, allOf(equals('component', bound.component), beyond(start)), stand.position)
      : yield* this.#endOfDenseWindow(connection, start, stand.position)
    const rows = start < end ? yield* this.#rows(connection, context, allOf(beyond(start), upTo(end)), { bound, most }) : []
    const reached = rows.length < most ? end : Number(rows.at(-1)?.[positionField])
    const entries = bound ? yield* visibleChanges(bound, connection, context, rows) : this.#asInLog(context, rows)
    const changes = entries.map((entry) => ({ id: writePlace({ epoch, position: Number(entry.position) }), entry }))
    return { reset, changes, next: writePlace({ epoch, position: reached }), isLast: reached === stand.position }
  }

  async wait(place: string, options: ArrivalOptions = {}): Promise<boolean> {
    this.#requireOutside()
    return await this.#parts.arrivals.wait(readPlace(place), options)
  }

  /** Ends those who wait with `storage_closed`. */
  close(): Promise<void> {
    return this.#parts.arrivals.close()
  }

  /** A transaction would wait for others, who wait for it. */
  #requireOutside(): void {
    if (!this.#parts.units.isInside()) return
    throw new UsageError(
      'outer_handle',
      'Changes are followed outside of transactions and hooks: inside, their own commit would be waited for.',
    )
  }

  *#stand(connection: Connection, context: CallerContext): Task<LogStand> {
    const { head } = this.#parts
    const [row] = yield* selectRows(head, connection, librarian(context), { filter: everything, includeDeleted: true, order: [] })
    // The one row was made with the tables.
    return { epoch: Number(row?.['epoch']), position: Number(row?.['seq']), retainedBelow: Number(row?.['retained_below'] ?? 0) }
  }

  /** The last position to look at: a caller of whom little is in the log must not have all of it read in one go. */
  *#endOfWindow(connection: Connection, context: CallerContext, filter: Filter, last: number): Task<number> {
    const options = { filter, includeDeleted: true, order, limit: 1, offset: window - 1, columns: [positionField] }
    const [row] = yield* selectRows(this.#parts.log, connection, librarian(context), options)
    return row ? Number(row[positionField]) : last
  }

  /** The same of all components, whose positions are given away one after the other. */
  *#endOfDenseWindow(connection: Connection, start: number, last: number): Task<number> {
    if (start >= last) return last
    const first = yield* firstFrom(this.#parts.log, connection, start + 1)
    return first ? Math.min(last, first.seq + window - 1) : last
  }

  /** Of a component the log is read whole but for other tenants: what the entries say decides who sees them. */
  *#rows(
    connection: Connection,
    context: CallerContext,
    filter: Filter,
    { bound, most }: { readonly bound: BoundAccessor | undefined; readonly most: number },
  ): Task<FieldValues[]> {
    const { log } = this.#parts
    const options = { includeDeleted: true, order, limit: most }
    if (!bound) {
      const ofAny = yield* ofAnyComponent(log, connection)
      return yield* selectRows(log, connection, context, { ...options, filter: allOf(ofAny, filter) })
    }
    const own = context.tenant === null ? everything : equals('tenant', context.tenant)
    const ofBound = equals('component', bound.component)
    return yield* selectRows(log, connection, librarian(context), { ...options, filter: allOf(own, ofBound, filter) })
  }

  #asInLog(context: CallerContext, rows: readonly FieldValues[]): AuditEntry[] {
    const components = this.#parts.components()
    const modelOf = (component: string): AnyModel | undefined => components.find((bound) => bound.component === component)?.model
    return rows.map((row) => {
      const entry = auditEntry(row, modelOf)
      return shownEntry(entry, limitsIn(components, entry.component, context))
    })
  }
}

const order = [{ field: positionField, descending: false }]

function beyond(position: number): Filter {
  return { type: 'compare', field: positionField, comparison: 'gt', value: position }
}

function upTo(position: number): Filter {
  return { type: 'compare', field: positionField, comparison: 'lte', value: position }
}

interface LogStand extends ChangePlace {
  readonly retainedBelow: number
}

/**
 * The position after which a reader goes on. Positions go on above those that a restore has replaced, so whoever followed the log before
 * goes on from its own; only in a file that somebody put there otherwise they can be lower. Throws GoneError for changes that were removed.
 */
function startIn({ position, retainedBelow }: LogStand, place: ChangePlace | 'start' | undefined): number {
  if (place === undefined) return position
  const oldest = Math.max(0, retainedBelow - 1)
  if (place === 'start') return Math.min(oldest, position)
  if (place.position < oldest)
    throw new GoneError('The changes after this place have been removed from the log. Read the records anew, and follow from now on.')
  return Math.min(place.position, position)
}

/** The library reads for its own ends, within the time of its caller. */
function librarian({ time }: CallerContext): CallerContext {
  return { principal: undefined, tenant: null, access: 'system', ...(time && { time }) }
}

/** The same caller, of whom nothing is remembered: what it may do can change while it follows. */
function anew({ principal, tenant, access }: CallerContext): ReadOptions {
  return { access, ...(principal && { principal }), ...(tenant !== null && { tenant }) }
}
