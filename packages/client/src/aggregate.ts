import type { WireModel } from '@strongroom/contract'
import type { Flat, RecordOf } from './model-types.ts'
import type { CallOptions } from './options.ts'
import type { Where } from './where.ts'

type MeasureFunction = 'sum' | 'avg' | 'min' | 'max'

/** `count`, or a function of a field: `avg:age`. */
export type MeasureText<Model extends WireModel> = 'count' | `${MeasureFunction}:${keyof RecordOf<Model> & string}`

/** What to measure, of which records, in which groups. */
export interface AggregateOptions<
  Model extends WireModel,
  Group extends keyof RecordOf<Model> & string,
  Measured extends MeasureText<Model>,
> extends CallOptions {
  /** Fields whose values make the groups; all records are one group when there are none. */
  readonly groupBy?: readonly Group[] | undefined
  readonly measures: readonly Measured[]
  readonly where?: Where<Model> | undefined
  readonly includeDeleted?: boolean | undefined
  /** The most groups to answer, 1 to 1,000; 1,000 unless said. */
  readonly limit?: number | undefined
}

/** One group: its fields, and each measure by its name (`avg:age` is `avg_age`). */
export type AggregateRow<Model extends WireModel, Group extends keyof RecordOf<Model>, Measured extends string> = Flat<
  { [Name in Group]: RecordOf<Model>[Name] } & { [Text in Measured as MeasureName<Text>]: MeasureValue<Model, Text> }
>

type MeasureName<Text extends string> = Text extends `${infer Function}:${infer Field}` ? `${Function}_${Field}` : Text

type MeasureValue<Model extends WireModel, Text extends string> = Text extends 'count'
  ? number
  : Text extends `avg:${string}`
    ? number | null
    : Text extends `${string}:${infer Field}`
      ? (Field extends keyof RecordOf<Model> ? RecordOf<Model>[Field] : never) | null
      : never
