import type { Awaitable } from '../engine/engine.ts'
import { isPromise } from '../engine/is-promise.ts'
import type { AnyModel } from '../model/model.ts'
import { perModel } from '../model/per-model.ts'
import { recordToJson } from '../model/record-json.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { selectPage } from '../query/page.ts'
import { countRows } from '../query/rows.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { modelFor } from './permit.ts'
import { type PageQuestion, pageRecords, pageSelection } from './read.ts'

/** A page of records in wire form. */
export interface WirePage {
  readonly rows: FieldValues[]
  readonly total?: number
  readonly next?: string
  readonly previous?: string
}

/**
 * One page of the records that a question asks for, as they travel in JSON: without secrets, and without a detour over the form that
 * code has, whose dates and copies take half of the time of a long list.
 */
export function wirePage(bound: BoundAccessor, question: PageQuestion): Awaitable<WirePage> {
  if (question.fields !== undefined) return convertedPage(bound, question)
  const { keys, ...options } = pageSelection(bound, question)
  const columns = wireColumns(modelFor(bound, question))
  const { filter, includeDeleted } = options
  return bound.units.read(question, function* (connection, context) {
    const page = yield* selectPage(bound.table, connection, context, { ...options, keys, columns, wire: true })
    if (question.count === 'none') return page
    return { ...page, total: yield* countRows(bound.table, connection, context, { filter, includeDeleted }) }
  })
}

/** What a caller may read of a record: its model's fields, in their order, but for those that are marked as secret. */
export const wireColumns = perModel((model: AnyModel): readonly string[] =>
  model.fields.filter(({ hidden, secret }) => !hidden && !secret).map(({ name }) => name),
)

function convertedPage(bound: BoundAccessor, question: PageQuestion): Awaitable<WirePage> {
  const found = pageRecords(bound, question)
  const convert = ({ rows, ...page }: WirePage): WirePage => ({
    ...page,
    rows: rows.map((row) => recordToJson(bound.model, row, { secrets: 'omit' })),
  })
  return isPromise(found) ? found.then(convert) : convert(found)
}
