import type { ColumnShape, IndexShape, TableDefiner, TableShape } from '../../engine/engine.ts'
import { indexName, uniqueName } from '../../model/constraint-names.ts'
import type { FieldKind } from '../../model/model.ts'
import { columnOf } from '../definition/definition-of.ts'
import type { FieldDefinition, IndexDefinition, TableDefinition } from '../definition/table-definition.ts'

/** The kinds in the order in which they are thought of where an engine's type stands for several. */
const kinds: readonly FieldKind[] = ['boolean', 'text', 'uuid', 'date', 'datetime', 'json', 'integer', 'int64', 'number', 'bytes']

/**
 * A column of the database in the terms of migrations. Where several kinds of values have one type, the memory of the table tells which it
 * is. Undefined for a type that this library does not make.
 */
export function liveField(
  table: TableShape,
  column: ColumnShape,
  remembered: FieldDefinition | undefined,
  engine: TableDefiner,
): FieldDefinition | undefined {
  const type = liveType(column, remembered, engine)
  if (!type) return undefined
  const reference = table.references.find((candidate) => candidate.column === column.name)
  const isValueList = column.allowed && type.type !== 'boolean'
  return {
    ...type,
    ...(column.nullable && { nullable: true }),
    ...(isValueList && { values: column.allowed }),
    ...(reference && { references: { table: reference.table, field: reference.targetColumn } }),
  }
}

function liveType(column: ColumnShape, remembered: FieldDefinition | undefined, engine: TableDefiner): FieldDefinition | undefined {
  const fits = (field: FieldDefinition): boolean => engine.columnType(columnOf(column.name, field)) === column.type
  if (remembered && fits(remembered)) {
    const { type, precision, scale } = remembered
    return { type, ...(precision !== undefined && { precision }), ...(scale !== undefined && { scale }) }
  }
  const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(column.type) ?? []
  if (precision !== undefined) return { type: 'decimal', precision: Number(precision), scale: Number(scale) }
  const isBoolean = column.allowed?.length === 2 && column.allowed.includes(0) && column.allowed.includes(1)
  const type = kinds.find((kind) => fits({ type: kind }) && (kind !== 'boolean' || isBoolean || !engine.allowedValues({ kind })))
  return type && { type }
}

/** The index as this library would have made it; undefined where somebody else did. */
export function ownIndex(table: TableShape, { name, columns, unique, liveOnly, presentOnly }: IndexShape): IndexDefinition | undefined {
  const fieldLists = [columns, ...(unique ? [] : [columns.slice(0, -1)])].filter((fields) => fields.length > 0)
  const nameOf = unique ? uniqueName : indexName
  const fields = fieldLists.find((candidate) => nameOf(table.name, candidate) === name)
  return fields && { fields, ...(unique && { unique }), ...(liveOnly && { liveOnly }), ...(presentOnly && { presentOnly }) }
}

/** The table's id, where it has one that this library could have made. */
export function liveId(
  table: TableShape,
  remembered: TableDefinition | undefined,
  engine: TableDefiner,
): TableDefinition['id'] | undefined {
  const [name, ...more] = table.primaryKey
  const column = table.columns.find((candidate) => candidate.name === name)
  if (!column || more.length > 0) return undefined
  if (remembered && engine.columnType({ kind: remembered.id.type }) === column.type) return { name: column.name, type: remembered.id.type }
  const type = (['integer', 'text', 'uuid'] as const).find((kind) => engine.columnType({ kind }) === column.type)
  return type && { name: column.name, type }
}

/** A whole table in the terms of migrations; columns of foreign types are left out. */
export function liveDefinition(
  table: TableShape,
  remembered: TableDefinition | undefined,
  engine: TableDefiner,
): TableDefinition | undefined {
  const id = liveId(table, remembered, engine)
  if (!id) return undefined
  const fields = table.columns
    .filter(({ name }) => name !== id.name)
    .flatMap((column) => {
      const field = liveField(table, column, remembered?.fields[column.name], engine)
      return field ? [[column.name, field] as const] : []
    })
  const indexes = table.indexes.flatMap((index) => ownIndex(table, index) ?? [])
  return { id, fields: Object.fromEntries(fields), ...(indexes.length > 0 && { indexes }) }
}
