import type { Awaitable } from '../engine/engine.ts'
import type { AnyModel } from '../model/model.ts'
import type { RowOf } from '../model/row-types.ts'
import { aggregateRows, type MeasureFunction, parseGroups, parseMeasures } from '../query/aggregate.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { parseWhere, type Where } from '../query/where.ts'
import type { ReadOptions } from '../session/options.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { modelFor } from './permit.ts'

/** `count`, or a function of a field: `avg:age`. */
export type MeasureText<Model extends AnyModel> = 'count' | `${MeasureFunction}:${keyof RowOf<Model> & string}`

/** What to measure, of which records, in which groups. */
export interface AggregateOptions<Model extends AnyModel, Group extends keyof RowOf<Model> & string, Measured extends MeasureText<Model>>
  extends ReadOptions {
  /** Fields whose values make the groups; all records are one group when there are none. */
  readonly groupBy?: readonly Group[]
  readonly measures: readonly Measured[]
  readonly where?: Where<Model>
  readonly includeDeleted?: boolean
  /** The most groups to answer. */
  readonly limit?: number
}

/** One group: its fields, and each measure by its name (`avg:age` is `avg_age`). */
export type AggregateRow<Model extends AnyModel, Group extends keyof RowOf<Model>, Measured extends string> = Flat<
  { [Name in Group]: RowOf<Model>[Name] } & { [Text in Measured as MeasureName<Text>]: MeasureValue<Model, Text> }
>

type Flat<T> = { [Key in keyof T]: T[Key] } & {}

type MeasureName<Text extends string> = Text extends `${infer Function}:${infer Field}` ? `${Function}_${Field}` : Text

type MeasureValue<Model extends AnyModel, Text extends string> = Text extends 'count'
  ? number
  : Text extends `avg:${string}`
    ? number | null
    : Text extends `${string}:${infer Field}`
      ? (Field extends keyof RowOf<Model> ? RowOf<Model>[Field] : never) | null
      : never

/** A question for measures, before it is understood. */
export interface AggregateQuestion extends ReadOptions {
  readonly groupBy?: readonly string[] | undefined
  readonly measures: readonly string[]
  readonly where?: Readonly<Record<string, unknown>> | undefined
  readonly includeDeleted?: boolean | undefined
  readonly limit?: number | undefined
}

/** Measures groups of records. */
export function aggregateRecords(bound: BoundAccessor, question: AggregateQuestion): Awaitable<FieldValues[]> {
  const { table } = bound
  const model = modelFor(bound, question)
  const measures = parseMeasures(model, question.measures)
  const groupBy = parseGroups(model, question.groupBy ?? [], measures)
  const filter = parseWhere(model, question.where)
  const options = { filter, includeDeleted: question.includeDeleted ?? false, groupBy, measures, limit: question.limit }
  return bound.units.read(question, (connection, context) => aggregateRows(table, connection, context, options))
}
