import type { Engine, Statement } from '../../engine/engine.ts'
import type { AnyModel, Field, FieldKind } from '../../model/model.ts'
import type { ExportedColumn } from './manifest.ts'

/** What is put into a table's file, in plain data: another thread does it. */
export interface TablePlan {
  readonly table: string
  /** The accessor's name, or null for a table of the library's own. */
  readonly component: string | null
  readonly statement: Statement
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
  readonly model: AnyModel
  readonly component: string | null
}

/** Plans the file of a table: its fields in the order of the model, its records in the order of their ids. */
export function planTable(engine: Engine, { model, component }: ExportedTable, mark: string | undefined): TablePlan {
  const fields = model.fields.filter((field) => !field.hidden)
  const names = fields.map((field) => field.name)
  const query = engine.builder.selectFrom(model.name).select(names).orderBy(model.id.name)
  const { sql, parameters } = query.compile()
  return { table: model.name, component, statement: { sql, parameters }, columns: fields.map((field) => planColumn(model, field, mark)) }
}

function planColumn(model: AnyModel, field: Field, mark: string | undefined): ColumnPlan {
  const { name, kind, scale, secret } = field
  return {
    name,
    kind,
    ...(scale !== undefined && { scale }),
    ...(secret && mark !== undefined && { mark }),
    described: describe(model, field),
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
