import type { IndexShape, TableShape } from '../../engine/engine.ts'
import { indexName, referenceName, uniqueName } from '../../model/constraint-names.ts'
import type { AnyModel } from '../../model/model.ts'
import { standingRenames } from '../../model/renamed-fields.ts'
import type { FieldDefinition, TableDefinition } from '../definition/table-definition.ts'
import { ownIndex } from './live-definition.ts'

/** The table that a model's table was called before, where it stands under that name and not under the new one. */
export function formerTable(model: AnyModel, live: ReadonlyMap<string, TableShape>): TableShape | undefined {
  if (live.has(model.name)) return undefined
  return model.renamedFrom.map((name) => live.get(name)).find((table) => table !== undefined)
}

/** The columns that stand under an old name, by that: declared, never guessed. */
export function renamedColumns(model: AnyModel, table: TableShape): Map<string, string> {
  const standing = new Set(table.columns.map(({ name }) => name))
  return standingRenames(model, (name) => standing.has(name))
}

/** What tables and their columns are called from now on, by their old names. */
export type TableRenames = ReadonlyMap<string, { readonly name: string; readonly columns: ReadonlyMap<string, string> }>

/** The table as it is once it, and those that it points to, have their new names. */
export function renamedShape(table: TableShape, renames: TableRenames): TableShape {
  const name = nameNow(renames, table.name)
  const now = (column: string): string => columnNow(renames, table.name, column)
  return {
    name,
    columns: table.columns.map((column) => ({ ...column, name: now(column.name) })),
    primaryKey: table.primaryKey.map(now),
    indexes: table.indexes.map((index) => renamedIndex(table, index, { name, now })),
    references: table.references.map((reference) => ({
      ...(reference.name !== undefined && {
        name: reference.name === referenceName(table.name, reference.column) ? referenceName(name, now(reference.column)) : reference.name,
      }),
      column: now(reference.column),
      table: nameNow(renames, reference.table),
      targetColumn: columnNow(renames, reference.table, reference.targetColumn),
    })),
  }
}

/** An index of this library is renamed with what its name is made of. */
export function renamedIndex(
  table: TableShape,
  index: IndexShape,
  { name, now }: { readonly name: string; readonly now: (column: string) => string },
): IndexShape {
  const own = ownIndex(table, index)
  const columns = index.columns.map(now)
  if (!own) return { ...index, columns }
  const fields = own.fields.map(now)
  return { ...index, columns, name: index.unique ? uniqueName(name, fields) : indexName(name, fields) }
}

function nameNow(renames: TableRenames, table: string): string {
  return renames.get(table)?.name ?? table
}

function columnNow(renames: TableRenames, table: string, column: string): string {
  return renames.get(table)?.columns.get(column) ?? column
}

/** What is remembered of a table, with its new names. */
export function renamedDefinition(table: string, definition: TableDefinition, renames: TableRenames): TableDefinition {
  const now = (column: string): string => columnNow(renames, table, column)
  const reference = ({ references, ...field }: FieldDefinition): FieldDefinition =>
    references
      ? {
          ...field,
          references: { table: nameNow(renames, references.table), field: columnNow(renames, references.table, references.field) },
        }
      : field
  return {
    id: { ...definition.id, name: now(definition.id.name) },
    fields: Object.fromEntries(Object.entries(definition.fields).map(([name, field]) => [now(name), reference(field)])),
    indexes: (definition.indexes ?? []).map((index) => ({ ...index, fields: index.fields.map(now) })),
  }
}
