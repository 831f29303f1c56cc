import type { Awaitable, Connection } from '../engine/engine.ts'
import { isPromise } from '../engine/is-promise.ts'
import type { JsonFunctions } from '../engine/json-functions.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { readCursor, writeCursor } from '../query/cursor.ts'
import { allOf } from '../query/filter.ts'
import { type JsonRows, jsonWriter, selectJson } from '../query/json-rows.ts'
import type { PageOptions } from '../query/page.ts'
import { countRows } from '../query/rows.ts'
import { type Seek, seeksAfter, seeksFromStart } from '../query/seek.ts'
import type { CallerContext } from '../session/context.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { modelFor } from './permit.ts'
import { type PageQuestion, pageSelection } from './read.ts'
import { type WirePage, wireColumns, wirePage } from './wire-page.ts'

/** A page of records as a JSON text. */
export interface JsonPage {
  /** An array of the records as they travel. */
  readonly text: string
  /** How many records are on it. */
  readonly size: number
  readonly total?: number
  readonly next?: string
  readonly previous?: string
}

/**
 * One page of the records that a question asks for, as JSON text: written by the database where it writes all of the model's fields as JSON.stringify
 * would, since to make an object of each record takes half of the time of a list.
 */
export function pageJson(bound: BoundAccessor, question: PageQuestion): Awaitable<JsonPage> {
  const columns = wireColumns(modelFor(bound, question))
  // Pages before a cursor are read from their end.
  const json = question.fields || question.before !== undefined || question.limit === 0 ? undefined : jsonWriter(bound.table, columns)
  if (!json) return writtenHere(wirePage(bound, question))
  const options = { ...pageSelection(bound, question), columns }
  return bound.units.read(question, (connection, context) => readPage(bound, json, connection, context, options, question.count))
}

// A generator inside of the function above would be made anew by each call, and with it what its objects look like: a microsecond.
function* readPage(
  bound: BoundAccessor,
  json: JsonFunctions,
  connection: Connection,
  context: CallerContext,
  options: PageOptions & Columns,
  count: PageQuestion['count'],
): Task<JsonPage> {
  const page = pageOf(bound, options, yield* readRows(bound, json, connection, context, options))
  if (count === 'none') return page
  return { ...page, total: yield* countRows(bound.table, connection, context, options) }
}

function writtenHere(found: Awaitable<WirePage>): Awaitable<JsonPage> {
  const write = ({ rows, ...page }: WirePage): JsonPage => ({ text: JSON.stringify(rows), size: rows.length, ...page })
  return isPromise(found) ? found.then(write) : write(found)
}

interface Columns {
  readonly columns: readonly string[]
}

/** The records of a page, and one more where there is another page. */
function* readRows(
  { table, model }: BoundAccessor,
  json: JsonFunctions,
  connection: Connection,
  context: CallerContext,
  { keys, after, ...options }: PageOptions & Columns,
): Task<JsonRows> {
  const { limit, offset } = options
  if (offset) return yield* selectJson(table, json, connection, context, { ...options, order: keys, limit: limit + 1 })
  const seeks: readonly Seek[] = after === undefined ? seeksFromStart(model, keys) : seeksAfter(table, keys, readCursor(table, keys, after))
  const found: JsonRows[] = []
  let left = limit + 1
  for (const { filter, order } of seeks) {
    const part = yield* selectJson(table, json, connection, context, {
      ...options,
      filter: allOf(options.filter, filter),
      order,
      limit: left,
    })
    if (part.count > 0) found.push(part)
    left -= part.count
    if (left === 0) break
  }
  return { text: found.map(({ text }) => text).join(), count: limit + 1 - left }
}

/** Takes away the record of the next page, and finds the cursors of the pages around. */
function pageOf({ model }: BoundAccessor, options: PageOptions & Columns, { text, count }: JsonRows): JsonPage {
  const { keys, limit, after, offset, columns } = options
  // No text within a record has a quote without a backslash before it, so that nothing but a record begins like this.
  const start = `,{${JSON.stringify(columns[0])}:`
  const hasNext = count > limit
  const kept = hasNext ? text.slice(0, text.lastIndexOf(start)) : text
  const hasPrevious = after !== undefined || Boolean(offset)
  const page = { text: `[${kept}]`, size: Math.min(count, limit) }
  if (count === 0) return page
  const cursor = (record: string): string => writeCursor(model, keys, JSON.parse(record) as FieldValues, { wire: true })
  const second = hasPrevious ? kept.indexOf(start) : -1
  return {
    ...page,
    ...(hasNext && { next: cursor(kept.slice(kept.lastIndexOf(start) + 1)) }),
    ...(hasPrevious && { previous: cursor(second < 0 ? kept : kept.slice(0, second)) }),
  }
}
