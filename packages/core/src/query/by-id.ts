import type { Statement } from '../engine/engine.ts'
import type { CallerContext } from '../session/context.ts'
import type { BoundTable } from './bound-table.ts'
import { describeFilter } from './condition.ts'
import { equals, everything } from './filter.ts'
import { scope } from './scope.ts'
import type { SelectOptions } from './select.ts'

/** Makes the statement of a selection for a caller. */
export type MakeStatement = (context: CallerContext, options: SelectOptions) => Statement

/**
 * The statement that reads a live record by its id: most reads. `make` makes it once for a list of columns and a shape of what exists for the
 * caller; afterwards nothing is described or bound but that condition and the id.
 */
export function statementById(
  table: BoundTable,
  columns: readonly string[],
  id: unknown,
  caller: CallerContext,
  make: MakeStatement,
): Statement {
  const { name } = table.model.id
  const asking = { ...caller, asked: true }
  const reach = scope(table, asking)
  const { key, values } = reach === everything ? whole : describeFilter(reach, table.encode)
  const parameters = [...values, table.encode(name, id)]
  const sql = table.byId.get(columns)?.get(key)
  if (sql !== undefined) return { sql, parameters }
  const made = make(asking, { filter: equals(name, id), includeDeleted: false, order: [] })
  // One with values of its own, or in another order, is made each time.
  if (isMadeOf(made, parameters)) keep(table, columns, key, made.sql)
  return made
}

const whole = { key: '', values: [] } as const

function isMadeOf({ parameters }: Statement, values: readonly unknown[]): boolean {
  return parameters.length === values.length && parameters.every((parameter, index) => Object.is(parameter, values[index]))
}

/** Shapes that are kept for a list of columns; conditions of rules have few, and those of a function that varies them must not fill the memory. */
const mostShapes = 100

function keep({ byId }: BoundTable, columns: readonly string[], key: string, sql: string): void {
  const known = byId.get(columns)
  if (!known || known.size >= mostShapes) byId.set(columns, new Map([[key, sql]]))
  else known.set(key, sql)
}
