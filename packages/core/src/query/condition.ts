import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import type { AnyDatabase, Engine, TextFunctions } from '../engine/engine.ts'
import { fold } from '../engine/fold.ts'
import { InvalidQueryError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import { type Filter, searchedFields } from './filter.ts'
import { positionField } from './log-position.ts'
import { listSize, Slot } from './shape.ts'

/** Values of a filter in the order of their slots, and a key that is the same for all filters of one shape. */
export interface FilterShape {
  readonly key: string
  readonly values: readonly unknown[]
}

/** Encodes a value of a field for the engine. */
export type EncodeField = (field: string, value: unknown) => unknown

/** Whose records a filter is about, and in which SQL. */
export interface FilterTarget {
  readonly model: AnyModel
  readonly engine: Pick<Engine, 'text' | 'inTime' | 'capabilities'>
}

type Builder = ExpressionBuilder<AnyDatabase, AnyDatabase>

/** Every engine takes so many values in one statement, and leaves room for those that an update sets. */
const mostValues = 30_000

/** Walks a filter and takes out its values; `renderFilter` walks in the same order. */
export function describeFilter(filter: Filter, encode: EncodeField): FilterShape {
  const values: unknown[] = []
  const key = describeInto(values, filter, encode)
  if (values.length > mostValues) throw new InvalidQueryError(`A condition takes at most ${mostValues} values; ask in pieces.`)
  return { key, values }
}

function describeInto(values: unknown[], filter: Filter, encode: EncodeField): string {
  const describe = (part: Filter): string => {
    switch (part.type) {
      case 'compare':
        for (let uses = part.comparison === 'ne' ? 2 : 1; uses > 0; uses--) values.push(encode(part.field, part.value))
        return `${part.field} ${part.comparison}`
      case 'held':
        values.push(encode(part.field, part.value))
        return `${part.field} held`
      case 'each':
        return `${part.field} each`
      case 'in': {
        const size = listSize(part.values.length)
        const padded = Math.max(size, part.values.length)
        // A list is padded with its last value, so that lists of many lengths share one statement.
        for (let index = 0; index < padded; index++) {
          const value = part.values[Math.min(index, part.values.length - 1)]
          values.push(value === undefined ? null : encode(part.field, value))
        }
        return `${part.field} ${part.negated ? 'notIn' : 'in'} ${padded}`
      }
      case 'text':
        values.push(part.folded ? fold(part.value) : part.value)
        return `${part.field} ${part.match} ${part.folded}`
      case 'null':
        return `${part.field} ${part.negated ? 'notNull' : 'null'}`
      case 'beyond':
        for (const [index, field] of part.fields.entries()) values.push(encode(field, part.values[index]))
        return `(${part.fields.join()}) ${part.comparison}`
      case 'linked':
        return `${part.field} in ${part.table.model.name}.${part.tableField}(${describeInto(values, part.filter, part.table.encode)})`
      case 'unchanged':
        values.push(part.component, part.position)
        return 'unchanged'
      case 'not':
        return `not(${describe(part.part)})`
      default:
        return `${part.type}(${part.parts.map(describe).join(';')})`
    }
  }
  return describe(filter)
}

/** Turns a filter into an SQL condition with a slot for each value, numbered from `first`. */
export function renderFilter(target: FilterTarget, filter: Filter, eb: Builder, first: number): Expression<SqlBool> {
  let next = first
  return renderWith(target, filter, eb, () => new Slot(next++))
}

function renderWith(
  { model, engine: { text, capabilities } }: FilterTarget,
  filter: Filter,
  eb: Builder,
  slot: () => Slot,
): Expression<SqlBool> {
  const render = (part: Filter): Expression<SqlBool> => {
    switch (part.type) {
      case 'compare':
        return renderComparison(model, part, eb, slot)
      case 'held':
        // A list of one is no constant to PostgreSQL's planner, so that the field stays part of the order.
        return capabilities.guessesValues
          ? sql<SqlBool>`${eb.ref(part.field)} = any(array[${slot()}])`
          : eb(part.field, '=', slot() as never)
      case 'each':
        return eb(
          part.field,
          'in',
          part.values.map((value) => sql.lit(value)),
        )
      case 'in': {
        const padded = Math.max(listSize(part.values.length), part.values.length)
        const slots = Array.from({ length: padded }, slot)
        if (!part.negated) return eb(part.field, 'in', slots)
        const outside = eb(part.field, 'not in', slots)
        return isNullable(model, part.field) ? eb.or([outside, eb(part.field, 'is', null)]) : outside
      }
      case 'text':
        return renderText(text, part, eb, slot())
      case 'null':
        return eb(part.field, part.negated ? 'is not' : 'is', null)
      case 'beyond':
        return sql<SqlBool>`(${sql.join(part.fields.map((field) => eb.ref(field)))}) ${sql.raw(sqlOperators[part.comparison])} (${sql.join(part.fields.map(slot))})`
      case 'linked':
        return renderLinked(part, eb, slot)
      case 'unchanged':
        return renderUnchanged(model, part, slot)
      case 'not':
        return sql<SqlBool>`(coalesce(${render(part.part)}, false) = false)`
      default:
        return combined(part.type, part.parts.map(render), eb)
    }
  }
  return render(filter)
}

/** The same for a SELECT, which is stopped when its time is over. */
export function renderQuestion(target: FilterTarget, filter: Filter, eb: Builder): Expression<SqlBool> {
  const condition = renderFilter(target, filter, eb, 0)
  const { inTime } = target.engine
  if (!inTime) return condition
  const long = searchedFields(filter).filter((name) => (target.model.fieldsByName.get(name)?.maxLength ?? longText) >= longText)
  return eb.and([inTime(long.map((name) => eb.ref(name))), condition])
}

/** Characters from which a single text takes long to search. */
const longText = 4_096

/** So many conditions stand side by side. */
const flattest = 32

/** A balanced tree of many conditions: SQLite takes no expression that is more than 1,000 deep, and each AND or OR is one level. */
function combined(type: 'and' | 'or', parts: readonly Expression<SqlBool>[], eb: Builder): Expression<SqlBool> {
  if (parts.length <= flattest) return eb[type](parts)
  const middle = parts.length >> 1
  return eb[type]([combined(type, parts.slice(0, middle), eb), combined(type, parts.slice(middle), eb)])
}

function renderLinked(part: Extract<Filter, { type: 'linked' }>, eb: Builder, slot: () => Slot): Expression<SqlBool> {
  const { field, table, tableField, filter } = part
  const linked = table.engine.builder
    .selectFrom(table.model.name)
    .select(tableField)
    .where((inner) => renderWith(table, filter, inner, slot))
  return eb(field, 'in', linked)
}

/**
 * One seek in the log's index for each record, however many entries there are. A subquery that is a value stays one: as a join it might
 * be answered by reading the whole log.
 */
function renderUnchanged(model: AnyModel, { log }: Extract<Filter, { type: 'unchanged' }>, slot: () => Slot): Expression<SqlBool> {
  const recordId = sql`cast(${sql.ref(`${model.name}.${model.id.name}`)} as text)`
  const last = log.engine.builder
    .selectFrom(log.model.name)
    .select(sql`coalesce(${sql.ref(positionField)}, ${sql.lit(Number.MAX_SAFE_INTEGER)})`.as('position'))
    .where('component', '=', slot())
    .where('record_id', '=', recordId)
    .orderBy('id', 'desc')
    .limit(1)
  return sql<SqlBool>`coalesce(${last}, 0) <= ${slot()}`
}

function renderText(text: TextFunctions, part: Extract<Filter, { type: 'text' }>, eb: Builder, slot: Slot): Expression<SqlBool> {
  const value = eb.val(slot)
  const column = part.folded ? text.fold(eb.ref(part.field)) : eb.ref(part.field)
  if (part.match === 'endsWith') return text.endsWith(column, value)
  const position = text.position(column, value)
  return part.match === 'contains' ? sql<SqlBool>`${position} > 0` : sql<SqlBool>`${position} = 1`
}

const sqlOperators = { eq: '=', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

function renderComparison(model: AnyModel, part: Extract<Filter, { type: 'compare' }>, eb: Builder, slot: () => Slot): Expression<SqlBool> {
  if (part.comparison !== 'ne') return eb(part.field, sqlOperators[part.comparison], slot())
  // IS DISTINCT FROM and IS NOT scan the table; two ranges can use an index.
  const differs = [eb(part.field, '<', slot()), eb(part.field, '>', slot())]
  return eb.or(isNullable(model, part.field) ? [...differs, eb(part.field, 'is', null)] : differs)
}

function isNullable(model: AnyModel, field: string): boolean {
  return model.fieldsByName.get(field)?.nullable ?? false
}
