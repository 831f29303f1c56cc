import type { Connection } from '../engine/engine.ts'
import type { Task } from '../session/task.ts'
import type { FieldValues } from './bound-table.ts'
import { allOf, type Filter, oneOf } from './filter.ts'
import { selectRows } from './rows.ts'
import { piecesOf } from './shape.ts'

/** Answers what a filter asks of other tables, as far as these records are concerned: what is left can be asked of them in memory. */
export function* settleLinks(filter: Filter, connection: Connection, records: readonly FieldValues[]): Task<Filter> {
  switch (filter.type) {
    case 'linked':
      return oneOf(filter.field, yield* linkedValues(filter, connection, records))
    case 'not': {
      const part = yield* settleLinks(filter.part, connection, records)
      return part === filter.part ? filter : { type: 'not', part }
    }
    case 'and':
    case 'or': {
      const parts: Filter[] = []
      for (const part of filter.parts) parts.push(yield* settleLinks(part, connection, records))
      return parts.every((part, index) => part === filter.parts[index]) ? filter : { type: filter.type, parts }
    }
    default:
      return filter
  }
}

function* linkedValues(
  { field, table, tableField, filter }: Extract<Filter, { type: 'linked' }>,
  connection: Connection,
  records: readonly FieldValues[],
): Task<unknown[]> {
  const wanted = [...new Set(records.map((record) => record[field]))].filter((value) => value !== null && value !== undefined)
  const found = new Set<unknown>()
  for (const piece of piecesOf(wanted, 256)) {
    const selection = { filter: allOf(oneOf(tableField, piece), filter), includeDeleted: true, order: [], columns: [tableField] }
    for (const row of yield* selectRows(table, connection, undefined, selection)) found.add(row[tableField])
  }
  return [...found]
}
