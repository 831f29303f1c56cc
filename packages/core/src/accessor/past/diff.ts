import { canonicalJson } from '../../audit/canonical.ts'
import type { AnyModel, Field } from '../../model/model.ts'
import type { RowOf } from '../../model/row-types.ts'
import type { FieldValues } from '../../query/bound-table.ts'
import type { ReadOptions } from '../../session/options.ts'
import type { BoundAccessor } from '../bound-accessor.ts'
import { sameValue } from '../changed-fields.ts'
import { getPast } from './read-past.ts'

/** Between which moments. */
export interface DiffOptions extends ReadOptions {
  readonly from: Date
  /** Now unless said. */
  readonly to?: Date | undefined
}

/** A field that differs between two moments. */
export interface FieldDifference<Model extends AnyModel> {
  readonly field: keyof RowOf<Model> & string
  /** Its value at the first moment; null also where the record was not there. */
  readonly from: unknown
  readonly to: unknown
}

/** What became of a record between two moments. */
export interface RecordDiff<Model extends AnyModel> {
  /** The record at the first moment, null where it was not there. */
  readonly from: RowOf<Model> | null
  readonly to: RowOf<Model> | null
  /** The fields that differ, in the order of the model. */
  readonly changes: readonly FieldDifference<Model>[]
}

/** The same inside the library, where records are plain objects of fields. */
interface UntypedDiff {
  readonly from: FieldValues | null
  readonly to: FieldValues | null
  readonly changes: readonly { readonly field: string; readonly from: unknown; readonly to: unknown }[]
}

/** What became of a record, deleted or not, between two moments; null where it was not there at either. */
export async function diffRecord(bound: BoundAccessor, id: unknown, { from, to, ...reading }: DiffOptions): Promise<UntypedDiff | null> {
  const question = { ...reading, includeDeleted: true }
  const then = await getPast(bound, from, id, question)
  const later = await getPast(bound, to ?? new Date(), id, question)
  if (!then && !later) return null
  const changes = bound.model.fields.flatMap((field) => {
    const [value, other] = [valueIn(then, field), valueIn(later, field)]
    return field.hidden || sameContent(field, value, other) ? [] : [{ field: field.name, from: value, to: other }]
  })
  return { from: then, to: later, changes }
}

function valueIn(record: FieldValues | null, { name }: Field): unknown {
  return record?.[name] ?? null
}

/** Whether two values are the same, JSON in any order of its members: the log has them sorted. */
export function sameContent(field: Field, a: unknown, b: unknown): boolean {
  const [value, other] = [a ?? null, b ?? null]
  if (field.kind === 'json' && value !== null && other !== null) return canonicalJson(value) === canonicalJson(other)
  return sameValue(field, value, other)
}
