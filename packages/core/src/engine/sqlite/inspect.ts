import type { ColumnShape, Connection, IndexShape, ReferenceShape, StoredRow, TableShape } from '../engine.ts'
import { readTableText, type TableText } from './table-text.ts'

const tables = `SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name`
const columns = 'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid'
const indexes = `SELECT l.name, l."unique", l.partial, s.sql FROM pragma_index_list(?) l LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name WHERE l.origin <> 'pk' ORDER BY l.name`
const indexColumns = 'SELECT name FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno'
const references = 'SELECT "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq'

/** Reads tables, columns, indexes and references as they stand in the database. */
export async function inspectTables(connection: Pick<Connection, 'all'>): Promise<TableShape[]> {
  const shapes: TableShape[] = []
  for (const { name, sql } of await connection.all({ sql: tables, parameters: [] })) {
    shapes.push(await inspectTable(connection, String(name), readTableText(String(sql))))
  }
  return shapes.map((shape) => ({ ...shape, references: shape.references.map((reference) => withTarget(reference, shapes)) }))
}

async function inspectTable(connection: Pick<Connection, 'all'>, name: string, text: TableText | undefined): Promise<TableShape> {
  const about = (sql: string) => connection.all({ sql, parameters: [name] })
  const found = await about(columns)
  const indexShapes: IndexShape[] = []
  for (const index of await about(indexes)) {
    const keys = await connection.all({ sql: indexColumns, parameters: [index.name] })
    const shape = indexShape(index, keys)
    if (shape) indexShapes.push(shape)
  }
  return {
    name,
    columns: found.map((column) => columnShape(column, text)),
    primaryKey: found
      .filter((column) => Number(column.pk) > 0)
      .sort((a, b) => Number(a.pk) - Number(b.pk))
      .map((column) => String(column.name)),
    indexes: indexShapes,
    references: (await about(references)).map((reference) => referenceShape(reference, text)),
  }
}

function columnShape(column: StoredRow, text: TableText | undefined): ColumnShape {
  const name = String(column.name)
  const { allowed, hasDefault = false } = text?.columns.find((found) => found.name === name) ?? {}
  return {
    name,
    type: String(column.type),
    // A primary key of a STRICT table takes no null, whether it says so or not.
    nullable: Number(column.notnull) === 0 && Number(column.pk) === 0,
    ...(allowed && { allowed }),
    ...(hasDefault && { hasDefault }),
  }
}

/** An index over expressions, or partial in another way than over live records or those that have its first column, is none that a model could want. */
function indexShape(index: StoredRow, keys: readonly StoredRow[]): IndexShape | undefined {
  if (keys.some((key) => key.name === null)) return undefined
  const columns = keys.map((key) => String(key.name))
  const unique = Number(index.unique) === 1
  const shape = { name: String(index.name), columns, unique, liveOnly: false }
  if (Number(index.partial) !== 1) return shape
  const [, column, not] = /\bWHERE\s+\(*\s*["[`]?(\w+)["\]`]?\s+IS\s+(NOT\s+)?NULL\s*\)*\s*$/i.exec(String(index.sql)) ?? []
  if (not === undefined) return column?.toLowerCase() === 'deleted_at' ? { ...shape, liveOnly: true } : undefined
  return column === columns[0] && !unique ? { ...shape, presentOnly: true } : undefined
}

function referenceShape(reference: StoredRow, text: TableText | undefined): ReferenceShape {
  const column = String(reference.from)
  const table = String(reference.table)
  const written = [...(text?.columns ?? []), ...(text?.constraints ?? [])].map((part) => part.reference)
  const name = written.find((found) => found?.column === column && found.table === table)?.name
  return { ...(name !== undefined && { name }), column, table, targetColumn: reference.to === null ? '' : String(reference.to) }
}

/** A reference that names no column means the other table's key. */
function withTarget(reference: ReferenceShape, shapes: readonly TableShape[]): ReferenceShape {
  if (reference.targetColumn !== '') return reference
  const [key = ''] = shapes.find((shape) => shape.name === reference.table)?.primaryKey ?? []
  return { ...reference, targetColumn: key }
}
