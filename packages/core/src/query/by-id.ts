import type { Statement } from '../engine/engine.ts'
import type { CallerContext } from '../session/context.ts'
import type { BoundTable } from './bound-table.ts'
import { equals, everything } from './filter.ts'
import { scope } from './scope.ts'
import type { SelectOptions } from './select.ts'

/**
 * The statement that reads a live record by its id for a caller to whom all records exist: most reads. `make` makes it once for a list of columns; afterwards
 * nothing is described or bound but the id.
 */
export function statementById(
  table: BoundTable,
  columns: readonly string[],
  id: unknown,
  make: (options: SelectOptions) => Statement,
): Statement {
  const { name } = table.model.id
  let sql = table.byId.get(columns)
  if (sql === undefined) {
    ;({ sql } = make({ filter: equals(name, id), includeDeleted: false, order: [] }))
    table.byId.set(columns, sql)
  }
  return { sql, parameters: [table.encode(name, id)] }
}

/** Whether all records of a table exist for a caller who asks for them. */
export function reachesAll(table: BoundTable, caller: CallerContext): boolean {
  if (!table.model.tenant && !table.readable) return true
  return scope(table, { ...caller, asked: true }) === everything
}
