import { InvalidQueryError } from '../errors.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { SortKey } from '../query/order.ts'
import { filterableField } from '../query/where.ts'
import { wholeNumber } from '../query/whole-number.ts'
import type { ReadOptions } from '../session/options.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { type Inclusion, parseInclude } from './include.ts'
import { modelFor } from './permit.ts'

/** Which parts of records are answered, and what is read along with them. */
export interface Projection {
  /** The fields to answer; undefined stands for all. */
  readonly fields: readonly string[] | undefined
  readonly inclusions: readonly Inclusion[]
  /** So many records that point here may be read along under one name. */
  readonly includeAtMost: number | undefined
  /** The columns that have to be read for it; undefined stands for all. */
  readonly columns: readonly string[] | undefined
}

interface Wanted extends ReadOptions {
  readonly fields?: readonly string[] | undefined
  readonly include?: Readonly<Record<string, unknown>> | undefined
  readonly includeAtMost?: number | undefined
}

/** Reads `fields` and `include`. `keys` are read too where a cursor needs their values. */
export function parseProjection(bound: BoundAccessor, question: Wanted, keys: readonly SortKey[]): Projection {
  const model = modelFor(bound, question)
  const inclusions = parseInclude(bound, question)
  const includeAtMost = wholeNumber('includeAtMost', question.includeAtMost)
  if (question.fields === undefined) return { fields: undefined, inclusions, includeAtMost, columns: undefined }
  if (!Array.isArray(question.fields) || question.fields.length === 0)
    throw new InvalidQueryError('fields is a list of at least one field name.')
  const fields = question.fields.map((name) => filterableField(model, name).name)
  const needed = inclusions.map(({ side, link }) => (side === 'one' ? link.field.name : bound.model.id.name))
  const columns = [...new Set([...fields, ...keys.map((key) => key.field), ...needed])]
  return { fields: [...new Set(fields)], inclusions, includeAtMost, columns }
}

/** Leaves in records what was asked for. */
export function project(records: readonly FieldValues[], { fields, inclusions }: Projection): FieldValues[] {
  // The very records, which their versions are known of.
  if (fields === undefined) return [...records]
  const names = [...fields, ...inclusions.map((inclusion) => inclusion.name)]
  return records.map((record) => Object.fromEntries(names.map((name) => [name, record[name]])))
}
