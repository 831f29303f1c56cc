import { type Expression, sql } from 'kysely'
import type { Connection, StoredRow } from '../engine/engine.ts'
import { InvalidQueryError } from '../errors.ts'
import type { AnyModel, Field } from '../model/model.ts'
import type { CallerContext } from '../session/context.ts'
import { type Task, wait } from '../session/task.ts'
import type { BoundTable, FieldValues } from './bound-table.ts'
import { describeFilter, renderQuestion } from './condition.ts'
import { nullsLargest } from './order.ts'
import { conditionOf, type Selection } from './select.ts'
import { bind, Slot, shapeOf } from './shape.ts'
import { filterableField } from './where.ts'

/** What can be measured of a field. */
export type MeasureFunction = 'sum' | 'avg' | 'min' | 'max'

/** One number, or value, about each group. */
export type Measure = { readonly name: string; readonly function: 'count' } | FieldMeasure

interface FieldMeasure {
  readonly name: string
  readonly function: MeasureFunction
  readonly field: Field
}

export interface AggregateOptions extends Selection {
  readonly groupBy: readonly Field[]
  readonly measures: readonly Measure[]
  readonly limit?: number | undefined
}

const measurable: Readonly<Record<MeasureFunction, ReadonlySet<Field['kind']>>> = {
  sum: new Set(['integer', 'int64', 'number', 'decimal']),
  avg: new Set(['integer', 'int64', 'number', 'decimal']),
  min: new Set(['integer', 'int64', 'number', 'decimal', 'text', 'datetime', 'date']),
  max: new Set(['integer', 'int64', 'number', 'decimal', 'text', 'datetime', 'date']),
}

/** Reads `count` and `avg:age`. Throws InvalidQueryError for what cannot be measured. */
export function parseMeasures(model: AnyModel, texts: readonly string[]): Measure[] {
  // From code without types.
  if (!Array.isArray(texts)) throw new InvalidQueryError("Measures are a list: ['count', 'avg:age'].")
  const measures = texts.map((text: string): Measure => {
    if (text === 'count') return { function: 'count', name: 'count' }
    const [name = '', fieldName, ...rest] = String(text).split(':')
    if (!isMeasureFunction(name) || fieldName === undefined || rest.length > 0) {
      throw new InvalidQueryError(`"${text}" is no measure. Write count, or sum, avg, min or max with a field: avg:age.`)
    }
    const field = filterableField(model, fieldName)
    if (!measurable[name].has(field.kind)) throw new InvalidQueryError(`${name} cannot be taken of ${field.name}.`)
    return { function: name, field, name: `${name}_${field.name}` }
  })
  if (measures.length === 0) throw new InvalidQueryError('Say at least one measure, e.g. count.')
  return measures.filter((measure, index) => measures.findIndex((other) => other.name === measure.name) === index)
}

/** The fields to group by. Throws InvalidQueryError for one that has no groups, or whose name is that of a measure. */
export function parseGroups(model: AnyModel, names: readonly string[], measures: readonly Measure[]): Field[] {
  if (!Array.isArray(names)) throw new InvalidQueryError("The fields to group by are a list: ['age'].")
  return [...new Set<string>(names)].map((name) => {
    const field = filterableField(model, name)
    if (field.kind === 'json') throw new InvalidQueryError(`${field.name} holds JSON and cannot be grouped by.`)
    if (measures.some((measure) => measure.name === field.name)) {
      throw new InvalidQueryError(`${field.name} is a field to group by and the name of a measure; ask for them apart.`)
    }
    return field
  })
}

function isMeasureFunction(name: string): name is MeasureFunction {
  return Object.hasOwn(measurable, name)
}

/** One row for each group, in the order of the groups: their fields and measures by name. */
export function* aggregateRows(
  table: BoundTable,
  connection: Connection,
  context: CallerContext,
  options: AggregateOptions,
): Task<FieldValues[]> {
  const { model, engine } = table
  const { groupBy, measures, limit } = options
  const condition = conditionOf(table, context, options)
  const { key, values } = describeFilter(condition, table.encode)
  const shapeKey = `aggregate ${groupBy.map((field) => field.name).join()}|${measures.map((measure) => measure.name).join()}|${key}|${limit !== undefined}`
  const shape = table.shapes.get(shapeKey, () => {
    let query = engine.builder
      .selectFrom(model.name)
      .select(groupBy.map((field) => field.name))
      .select(measures.flatMap((measure) => columnsOf(table, measure)))
      .where((eb) => renderQuestion(table, condition, eb))
    if (groupBy.length > 0) query = query.groupBy(groupBy.map((field) => field.name))
    for (const field of groupBy)
      query = query.orderBy(field.name, (item) => nullsLargest(model, { field: field.name, descending: false }, item))
    if (limit !== undefined) query = query.limit(new Slot(values.length) as never)
    return shapeOf(query.compile())
  })
  const rows = yield* wait(connection.all(bind(shape, [...values, limit]), context.time))
  return rows.map((row) => readGroup(table, options, row))
}

/** An average is a sum and a count: what databases make of it themselves differs in its last digits. */
function columnsOf(table: BoundTable, measure: Measure) {
  if (measure.function === 'count') return [sql<unknown>`count(*)`.as(measure.name)]
  const column: Expression<unknown> = sql.ref(measure.field.name)
  if (measure.function === 'min' || measure.function === 'max')
    return [sql<unknown>`${sql.raw(measure.function)}(${column})`.as(measure.name)]
  const sums = isSplit(table, measure.field)
    ? [sql<unknown>`sum(${column} & ${lowHalf})`.as(measure.name), sql<unknown>`sum(${column} >> 32)`.as(highName(measure.name))]
    : [sql<unknown>`sum(${column})`.as(measure.name)]
  return measure.function === 'sum' ? sums : [...sums, sql<unknown>`count(${column})`.as(countName(measure.name))]
}

/** The lower 32 bits of 64, added up apart from the upper ones where a sum of the whole could be too large for the engine. */
const lowHalf = sql.lit(2 ** 32 - 1)

function isSplit({ engine }: BoundTable, { kind }: Field): boolean {
  return engine.capabilities.narrowSums && kind !== 'number'
}

function highName(measure: string): string {
  return `${measure}__high`
}

function countName(measure: string): string {
  return `${measure}__count`
}

function readGroup(table: BoundTable, { groupBy, measures }: AggregateOptions, stored: StoredRow): FieldValues {
  const group: FieldValues = {}
  for (const { name } of groupBy) group[name] = table.decodeField(name, stored[name])
  for (const measure of measures) {
    const value = stored[measure.name]
    if (measure.function === 'count') group[measure.name] = Number(value)
    else if (value === null) group[measure.name] = null
    else if (measure.function === 'avg')
      group[measure.name] = Number(readTotal(table, measure, stored)) / Number(stored[countName(measure.name)])
    else group[measure.name] = measure.function === 'sum' ? readSum(table, measure, stored) : table.decodeField(measure.field.name, value)
  }
  return group
}

/** A sum in the form of its field. */
function readSum(table: BoundTable, measure: FieldMeasure, stored: StoredRow): unknown {
  const total = readTotal(table, measure, stored)
  if (measure.field.kind !== 'integer') return total
  if (Number.isSafeInteger(Number(total))) return Number(total)
  throw tooLarge(measure.field)
}

/** A sum of whatever size: exact for everything but floating-point numbers. */
function readTotal(table: BoundTable, { name, field }: FieldMeasure, stored: StoredRow): unknown {
  const value = stored[name]
  if (field.kind === 'number') {
    if (Number.isFinite(Number(value))) return Number(value)
    throw tooLarge(field)
  }
  const whole = isSplit(table, field) ? (integer(stored[highName(name)]) << 32n) + integer(value) : value
  return field.kind === 'decimal' ? table.decodeField(field.name, whole) : integer(whole)
}

function integer(value: unknown): bigint {
  return BigInt(value as string | number | bigint)
}

function tooLarge({ name }: Field): InvalidQueryError {
  return new InvalidQueryError(`The sum of ${name} is too large for a number. Narrow the question.`)
}
