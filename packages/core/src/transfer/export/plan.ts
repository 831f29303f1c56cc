import type { OrderedStatement } from '../../engine/engine.ts'
import type { AnyModel, Field, FieldKind } from '../../model/model.ts'
import { secretMark } from '../../model/record-json.ts'
import type { BoundTable } from '../../query/bound-table.ts'
import { describeFilter, renderFilter } from '../../query/condition.ts'
import { everything } from '../../query/filter.ts'
import { conditionOf } from '../../query/select.ts'
import { bind, shapeOf } from '../../query/shape.ts'
import type { CallerContext } from '../../session/context.ts'
import type { ExportedColumn } from './manifest.ts'

/** What is put into a table's file, in plain data: another thread does it. */
export interface TablePlan {
  readonly table: string
  /** The accessor's name, or null for a table of the library's own. */
  readonly component: string | null
  readonly statement: OrderedStatement
  readonly columns: readonly ColumnPlan[]
}

export interface ColumnPlan {
  readonly name: string
  readonly kind: FieldKind
  readonly scale?: number
  /** Stands in every cell in place of the value. */
  readonly mark?: string
  readonly described: ExportedColumn
}

/** Which table is written, under which component's name. */
export interface ExportedTable {
  readonly table: BoundTable
  readonly component: string | null
  /** Fields that whoever exports may not read: they are masked, whatever becomes of secrets. */
  readonly hidden: ReadonlySet<string>
}

/** Plans the file of a table: its fields in the order of the model, the records that the caller may read in the order of their ids. */
export function planTable({ table, component, hidden }: ExportedTable, caller: CallerContext, mark: string | undefined): TablePlan {
  const { model } = table
  const fields = model.fields.filter((field) => !field.hidden)
  const names = fields.map((field) => field.name)
  return {
    table: model.name,
    component,
    statement: selectAll(table, caller, names),
    columns: fields.map((field) => planColumn(model, field, hidden.has(field.name) ? { mark: secretMark, masked: true } : { mark })),
  }
}

/** Another thread runs it, which knows no time limits: a transfer takes as long as it needs. */
function selectAll(table: BoundTable, caller: CallerContext, names: readonly string[]): OrderedStatement {
  const { model, engine } = table
  const condition = conditionOf(table, { ...caller, asked: true }, { filter: everything, includeDeleted: true })
  const { values } = describeFilter(condition, table.encode)
  const all = engine.builder.selectFrom(model.name).select([...names])
  const rows = condition === everything ? all : all.where((eb) => renderFilter(table, condition, eb, 0))
  const orderedBy = model.id.name
  return { ...bind(shapeOf(rows.orderBy(orderedBy).compile()), values), orderedBy }
}

/** A field that the caller may not read is a secret to it. */
interface Masking {
  readonly mark: string | undefined
  readonly masked?: boolean
}

function planColumn(model: AnyModel, field: Field, { mark, masked = false }: Masking): ColumnPlan {
  const { name, kind, scale } = field
  return {
    name,
    kind,
    ...(scale !== undefined && { scale }),
    ...((field.secret || masked) && mark !== undefined && { mark }),
    described: { ...describe(model, field), ...(masked && { masked }) },
  }
}

function describe(model: AnyModel, { name, kind, nullable, secret, reference, precision, scale }: Field): ExportedColumn {
  const target = reference?.model()
  return {
    name,
    type: kind,
    nullable,
    ...(name === model.id.name && { key: true }),
    ...(secret && { secret }),
    ...(precision !== undefined && { precision }),
    ...(scale !== undefined && { scale }),
    ...(target && { references: { table: target.name, column: target.id.name } }),
  }
}
