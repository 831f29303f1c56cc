import type { BoundAccessor } from '../../accessor/bound-accessor.ts'
import { rulesFor } from '../../accessor/permit.ts'
import type { BoundTable } from '../../query/bound-table.ts'
import { nothing } from '../../query/filter.ts'
import type { CallerContext } from '../../session/context.ts'
import type { ReadableTable } from './export.ts'

/** The tables of all components, and the audit log, as a caller may read them. */
export function readableTables(components: readonly BoundAccessor[], log: BoundTable, caller: CallerContext): ReadableTable[] {
  const tables = components.map((bound) => readableTable(bound, caller))
  // Its images hold whole records, and its digests would tell a guess at what is missing from them.
  const tellsMore = tables.some(({ hidden }) => hidden.size > 0)
  return [...tables, { table: log, component: null, hidden: none, closed: tellsMore }]
}

const none: ReadonlySet<string> = new Set()

function readableTable(bound: BoundAccessor, caller: CallerContext): ReadableTable {
  const { table, component } = bound
  const rules = rulesFor(bound, caller)
  if (!rules) return { table, component, hidden: none, closed: false }
  const closed = rules.access.decide('read', rules.asker).filter === nothing
  return { table, component, hidden: rules.access.limits(rules.asker).hidden, closed }
}
