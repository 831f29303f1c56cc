import type { Connection } from '../engine/engine.ts'
import type { CallerContext } from '../session/context.ts'
import type { Task } from '../session/task.ts'
import type { BoundTable, FieldValues } from './bound-table.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { allOf } from './filter.ts'
import type { SortKey } from './order.ts'
import { selectRows } from './rows.ts'
import { reversed, type Seek, seeksAfter, seeksFromStart } from './seek.ts'
import type { Selection } from './select.ts'

/** Which page of a selection, in which order. */
export interface PageOptions extends Selection {
  readonly keys: readonly SortKey[]
  readonly limit: number
  readonly offset?: number | undefined
  /** The columns to read; those of the keys must be among them. */
  readonly columns?: readonly string[] | undefined
  /** Answers the rows in wire form. */
  readonly wire?: boolean | undefined
  /** A cursor: the page begins right after it. */
  readonly after?: string | undefined
  /** A cursor: the page ends right before it. */
  readonly before?: string | undefined
}

export interface Page {
  readonly rows: FieldValues[]
  /** Cursor for `after` of the next page; absent on the last. */
  readonly next?: string
  /** Cursor for `before` of the previous page; absent on the first. */
  readonly previous?: string
}

/** Reads a page. Rows that come or go meanwhile elsewhere neither move a cursor nor make it skip. */
export function* selectPage(
  table: BoundTable,
  connection: Connection,
  context: CallerContext | undefined,
  options: PageOptions,
): Task<Page> {
  const { model } = table
  const { keys, limit, after, before } = options
  if (limit === 0) return { rows: [] }
  const backward = before !== undefined
  const cursor = after ?? before
  const direction = backward ? reversed(keys) : keys
  const place = cursor === undefined ? undefined : readCursor(table, keys, cursor)
  const found = options.offset
    ? yield* selectRows(table, connection, context, { ...options, order: keys, limit: limit + 1 })
    : yield* walk(table, connection, context, options, place ? seeksAfter(table, direction, place) : seeksFromStart(model, direction))
  return pageOf(table, options, found)
}

/** What is found from the start of a page on, one record more than it has where there is another page, becomes a page. */
export function pageOf({ model }: BoundTable, options: PageOptions, found: readonly FieldValues[]): Page {
  const { keys, limit, after, before, wire = false } = options
  const backward = before !== undefined
  const more = found.length > limit
  const rows = found.slice(0, limit)
  if (backward) rows.reverse()
  const first = rows.at(0)
  const last = rows.at(-1)
  const hasNext = backward || more
  const hasPrevious = backward ? more : after !== undefined || Boolean(options.offset)
  return {
    rows,
    ...(last && hasNext && { next: writeCursor(model, keys, last, { wire }) }),
    ...(first && hasPrevious && { previous: writeCursor(model, keys, first, { wire }) }),
  }
}

/** Walks stretches of the order until the page, and one row to know of the next, is full. */
export function* walk(
  table: BoundTable,
  connection: Connection,
  context: CallerContext | undefined,
  options: Pick<PageOptions, 'filter' | 'includeDeleted' | 'columns' | 'wire' | 'limit'>,
  seeks: readonly Seek[],
): Task<FieldValues[]> {
  const rows: FieldValues[] = []
  for (const seek of seeks) {
    const left = options.limit + 1 - rows.length
    if (left === 0) break
    const filter = allOf(options.filter, seek.filter)
    const { includeDeleted, columns, wire } = options
    const found = yield* selectRows(table, connection, context, { filter, includeDeleted, columns, wire, order: seek.order, limit: left })
    // Not all at once as arguments: the stack has room for some ten thousands.
    for (const row of found) rows.push(row)
  }
  return rows
}
