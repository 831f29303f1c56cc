import { type SelectQueryBuilder, sql } from 'kysely'
import type { AnyDatabase, Statement } from '../engine/engine.ts'
import type { CallerContext } from '../session/context.ts'
import type { BoundTable } from './bound-table.ts'
import { describeFilter, renderFilter, renderQuestion } from './condition.ts'
import { allOf, besides, eachOf, everything, type Filter, heldFields } from './filter.ts'
import { nullsLargest, type SortKey } from './order.ts'
import { scope, withinReach } from './scope.ts'
import { bind, Slot, shapeOf } from './shape.ts'

/** Which records are meant, of those that exist for the caller. */
export interface Selection {
  readonly filter: Filter
  /** Soft-deleted records too. */
  readonly includeDeleted: boolean
}

export interface SelectOptions extends Selection {
  readonly order: readonly SortKey[]
  readonly limit?: number | undefined
  readonly offset?: number | undefined
  /** The columns to read; all of the record unless said. */
  readonly columns?: readonly string[] | undefined
  /** Reads the row's version too, for `versionOf`; only where all columns are read. */
  readonly version?: boolean
  /** Answers the rows in wire form. */
  readonly wire?: boolean | undefined
  /** Keeps other units from changing the rows until this one ends. */
  readonly lock?: boolean
}

/** The whole condition of a statement: what the caller may see, what is not deleted, and what was asked for. */
export function conditionOf(table: BoundTable, context: CallerContext | undefined, selection: Selection): Filter {
  const { model } = table
  const live: Filter =
    model.deletedAt && !selection.includeDeleted ? { type: 'null', field: model.deletedAt.name, negated: false } : everything
  return allOf(scope(table, context), live, context ? withinReach(selection.filter, context) : selection.filter)
}

/** `SELECT` of whole records. */
export function selectStatement(table: BoundTable, context: CallerContext | undefined, options: SelectOptions): Statement {
  const { model, recordColumns } = table
  const columns = options.version ? [...recordColumns, model.rowVersion.name] : (options.columns ?? recordColumns)
  const selected = options.version ? '+' : (options.columns?.join() ?? '*')
  return rowsStatement(table, context, options, selected, (rows) => rows.select([...columns]))
}

type Rows = SelectQueryBuilder<AnyDatabase, string, object>

/** A statement about the rows of a selection; `select` says what of them is answered, and `selected` tells such statements apart. */
export function rowsStatement(
  table: BoundTable,
  context: CallerContext | undefined,
  options: SelectOptions,
  selected: string,
  select: (rows: Rows) => Rows,
): Statement {
  const { model, engine } = table
  const condition = conditionOf(table, context, options)
  const { key, values } = describeFilter(condition, table.encode)
  const lock = options.lock === true && engine.capabilities.rowLocks
  // OFFSET needs a LIMIT on some engines.
  const limit = options.limit ?? (options.offset ? Number.MAX_SAFE_INTEGER : undefined)
  const short = isShort(table, context, options)
  const order = options.order.map((sort) => `${sort.field}${sort.descending ? '-' : '+'}${sort.uniform ? '!' : ''}`).join()
  const shapeKey = `select ${selected}|${key}|${order}|${limit !== undefined}|${Boolean(options.offset)}|${lock}|${short}`
  const shape = table.shapes.get(shapeKey, () => {
    const each = eachOf(condition)
    const rest = each ? besides(condition, each) : condition
    const rows = (): Rows =>
      engine.builder.selectFrom(model.name).where((eb) => (short ? renderFilter(table, rest, eb, 0) : renderQuestion(table, rest, eb)))
    const [first] = options.order
    const ordered = (query: Rows): Rows => {
      let page = query
      if (first && engine.capabilities.guessesValues)
        for (const field of heldFields(condition)) page = page.orderBy(field, (item) => (first.descending ? item.desc() : item.asc()))
      for (const sort of options.order) page = page.orderBy(sort.field, (item) => nullsLargest(model, sort, item))
      if (limit !== undefined) page = page.limit(new Slot(values.length) as never)
      if (options.offset) page = page.offset(new Slot(values.length + 1) as never)
      return lock ? page.forUpdate() : page
    }
    if (!each) return shapeOf(select(ordered(rows())).compile())
    const parts = each.values.map((value) => select(rows().where(each.field, '=', sql.lit(value))))
    return shapeOf(ordered(parts.reduce((all, more) => all.unionAll(more))).compile())
  })
  return bind(shape, [...values, limit, options.offset])
}

/** Rows from the start that a list may pass without a look at the clock. */
const shortest = 10_000

/** One record by its id needs no time limit, nor does the beginning of a table, or of it from an id on, for whoever is shown all of its rows. */
function isShort(
  table: BoundTable,
  context: CallerContext | undefined,
  { filter, order, limit = Number.POSITIVE_INFINITY, offset = 0 }: SelectOptions,
): boolean {
  const id = table.model.id.name
  const isOfId = filter.type === 'compare' && filter.field === id && filter.comparison !== 'ne'
  if (isOfId && filter.comparison === 'eq') return true
  if (!isOfId && filter !== everything) return false
  return limit + offset <= shortest && order.every(({ field }) => field === id) && scope(table, context) === everything
}

/** `SELECT count(*)`, up to a bound where one is given. */
export function countStatement(table: BoundTable, context: CallerContext | undefined, selection: Selection, upTo?: number): Statement {
  const { model, engine } = table
  const condition = conditionOf(table, context, selection)
  const { key, values } = describeFilter(condition, table.encode)
  const shape = table.shapes.get(`count ${key}|${upTo !== undefined}`, () => {
    // Databases know how many rows a whole table has without a look at each.
    const all = engine.builder.selectFrom(model.name)
    const rows = condition === everything ? all : all.where((eb) => renderQuestion(table, condition, eb))
    if (upTo === undefined) return shapeOf(rows.select((eb) => eb.fn.countAll().as('count')).compile())
    const bounded = rows.select(model.id.name).limit(new Slot(values.length) as never)
    return shapeOf(
      engine.builder
        .selectFrom(bounded.as('bounded'))
        .select((eb) => eb.fn.countAll().as('count'))
        .compile(),
    )
  })
  return bind(shape, [...values, upTo])
}
