import type { Awaitable } from '../engine/engine.ts'
import { InvalidQueryError } from '../errors.ts'
import { isId } from '../model/record-id.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals } from '../query/filter.ts'
import { parseOrder } from '../query/order.ts'
import { type Page, type PageOptions as PageSelection, selectPage } from '../query/page.ts'
import { countRows, selectRows, withoutVersion } from '../query/rows.ts'
import { type SelectOptions, selectStatement } from '../query/select.ts'
import { parseWhere } from '../query/where.ts'
import { wholeNumber } from '../query/whole-number.ts'
import type { ReadOptions } from '../session/options.ts'
import { reachOf } from '../session/reach.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { includeRows } from './include.ts'
import { modelFor, withoutHidden } from './permit.ts'
import { parseProjection, project } from './projection.ts'
import { callerForIdAlone, readById } from './read-by-id.ts'

/** What a question says, before it is understood. */
export interface Question extends ReadOptions {
  readonly where?: Readonly<Record<string, unknown>> | undefined
  readonly orderBy?: string | readonly string[] | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
  readonly includeDeleted?: boolean | undefined
  readonly fields?: readonly string[] | undefined
  readonly include?: Readonly<Record<string, unknown>> | undefined
  readonly includeAtMost?: number | undefined
}

/** A question for one page of its answer. */
export interface PageQuestion extends Question {
  readonly after?: string | undefined
  readonly before?: string | undefined
  readonly count?: 'exact' | 'none' | undefined
}

/** The record with this id, or null; an id of the wrong shape is simply not found. */
export function getRecord(bound: BoundAccessor, id: unknown, question: Question): Awaitable<FieldValues | null> {
  const { model, table } = bound
  const condition = parseWhere(modelFor(bound, question), question.where)
  if (!isId(model, id)) return null
  const { fields, include, includeAtMost } = question
  const isWhole = fields === undefined && include === undefined && includeAtMost === undefined
  const caller = isWhole ? callerForIdAlone(bound, question) : undefined
  if (caller)
    return readById(bound, model.id.normalise(id), caller, {
      columns: table.recordColumns,
      statement: (context, options) => selectStatement(table, context, { ...options, version: true }),
      use: (row) => {
        const record = withoutVersion(table, row)
        withoutHidden(bound, caller, [record])
        return record
      },
    })
  const filter = allOf(equals(model.id.name, model.id.normalise(id)), condition)
  const projection = parseProjection(bound, question, [])
  const options = {
    filter,
    includeDeleted: question.includeDeleted ?? false,
    order: [],
    columns: projection.columns,
    version: projection.columns === undefined && projection.inclusions.length === 0,
  }
  return bound.units.read(question, function* (connection, context) {
    const rows = yield* selectRows(table, connection, context, options)
    yield* includeRows(connection, context, rows, projection)
    withoutHidden(bound, context, rows)
    return project(rows, projection)[0] ?? null
  })
}

/** The records that a question asks for. */
export function findRecords(bound: BoundAccessor, question: Question, reading?: { readonly timed: boolean }): Awaitable<FieldValues[]> {
  const options = selectOptions(bound, question)
  const projection = parseProjection(bound, question, [])
  return bound.units.read(
    question,
    function* (connection, context) {
      const rows = yield* selectRows(bound.table, connection, context, { ...options, columns: projection.columns })
      yield* includeRows(connection, context, rows, projection)
      withoutHidden(bound, context, rows)
      return project(rows, projection)
    },
    reading,
  )
}

export function countRecords(bound: BoundAccessor, question: Question, upTo?: number): Awaitable<number> {
  const selection = { filter: parseWhere(modelFor(bound, question), question.where), includeDeleted: question.includeDeleted ?? false }
  return bound.units.read(question, (connection, context) => countRows(bound.table, connection, context, selection, upTo))
}

/** So many records are on a page when nobody says. */
const defaultPageSize = 50

/** One page of the records that a question asks for, with the total unless `count` is `none`. */
export function pageRecords(bound: BoundAccessor, question: PageQuestion): Awaitable<Page & { total?: number }> {
  const { keys, ...options } = pageSelection(bound, question)
  const { filter, includeDeleted } = options
  const projection = parseProjection(bound, question, keys)
  return bound.units.read(question, function* (connection, context) {
    const { columns } = projection
    const found = yield* selectPage(bound.table, connection, context, { ...options, keys, columns })
    yield* includeRows(connection, context, found.rows, projection)
    withoutHidden(bound, context, found.rows)
    const page = { ...found, rows: project(found.rows, projection) }
    if (question.count === 'none') return page
    return { ...page, total: yield* countRows(bound.table, connection, context, { filter, includeDeleted }) }
  })
}

/** Which page a question asks for. */
export function pageSelection(bound: BoundAccessor, question: PageQuestion): PageSelection {
  const { filter, includeDeleted, order, limit = defaultPageSize, offset } = selectOptions(bound, question)
  const { after, before } = question
  if ([after, before, offset || undefined].filter((start) => start !== undefined).length > 1) {
    throw new InvalidQueryError('A page starts at an offset, after a cursor or before one; give one of them.')
  }
  return { filter, includeDeleted, keys: order, limit, offset, after, before }
}

/** So many rows are held in memory at a time by a stream. */
const streamChunk = 500

/** The records that a question asks for, one after the other, from one snapshot. */
export async function* streamRecords(bound: BoundAccessor, question: Question): AsyncGenerator<FieldValues, void, undefined> {
  const options = selectOptions(bound, question)
  // Inside a unit its own writes must be seen, and its connection cannot be held by a cursor between statements.
  const session = bound.units.current()
  if (session) {
    yield* await findRecords(bound, question, { timed: false })
    return
  }
  const context = { ...bound.units.callerOf(question), asked: true }
  const statement = selectStatement(bound.table, context, options)
  for await (const rows of bound.table.engine.stream(statement, streamChunk, reachOf(context))) {
    const records = rows.map((row) => bound.table.decode(row))
    withoutHidden(bound, context, records)
    yield* records
  }
}

export function selectOptions(bound: BoundAccessor, question: Question): SelectOptions {
  const model = modelFor(bound, question)
  return {
    filter: parseWhere(model, question.where),
    includeDeleted: question.includeDeleted ?? false,
    order: parseOrder(model, question.orderBy),
    limit: wholeNumber('limit', question.limit),
    offset: wholeNumber('offset', question.offset),
  }
}
