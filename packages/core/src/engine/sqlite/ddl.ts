import type { FieldKind } from '../../model/model.ts'
import type { ColumnDefinition, TableDefiner, TableOptions } from '../engine.ts'

/**
 * The types of STRICT tables. INT and INTEGER mean the same to SQLite; here INT says that a value may pass 2^53, which
 * the statement cache reads off a statement's columns.
 */
const types: Record<FieldKind, string> = {
  text: 'TEXT',
  uuid: 'TEXT',
  date: 'TEXT',
  datetime: 'TEXT',
  json: 'TEXT',
  integer: 'INTEGER',
  boolean: 'INTEGER',
  int64: 'INT',
  decimal: 'INT',
  number: 'REAL',
  bytes: 'BLOB',
}

/** Quotes a name: `"users"`. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function quoteLiteral(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`
}

/** The declared type of a field's column. */
export function columnType(field: Pick<ColumnDefinition, 'kind' | 'precision' | 'scale'>): string {
  return types[field.kind]
}

/** Type, NOT NULL and CHECK of a field's column, e.g. `INTEGER NOT NULL CHECK ("active" IN (0, 1))`. */
export function columnDefinition(field: ColumnDefinition): string {
  return [columnType(field), field.nullable ? '' : 'NOT NULL', checkOf(field)].filter(Boolean).join(' ')
}

/** The id's column with its primary key, e.g. `INTEGER PRIMARY KEY AUTOINCREMENT`. */
export function idDefinition(field: ColumnDefinition, options: TableOptions): string {
  const type = columnType(field)
  if (options.countedId) return `${type} PRIMARY KEY AUTOINCREMENT`
  return [type, 'NOT NULL PRIMARY KEY', checkOf(field)].filter(Boolean).join(' ')
}

export function createTableSql(table: string, definitions: readonly string[]): string {
  return `CREATE TABLE IF NOT EXISTS ${quoteName(table)} (\n  ${definitions.join(',\n  ')}\n) STRICT`
}

/** The values that a CHECK of a field's column allows. */
export function allowedValues(field: Pick<ColumnDefinition, 'kind' | 'values'>): readonly (string | number)[] | undefined {
  return field.kind === 'boolean' ? [0, 1] : field.values
}

function checkOf(field: ColumnDefinition): string {
  const values = allowedValues(field)
  return values ? checkText(field.name, values) : ''
}

/**
 * From three values on SQLite makes a table of a list whenever it runs the statement, which costs an insert more than the row itself (measured);
 * comparisons cost next to nothing, as long as they are few: an expression is at most 1,000 deep.
 */
const listed = { most: 2, from: 100 } as const

function checkText(column: string, values: readonly (string | number)[]): string {
  const name = quoteName(column)
  const literals = values.map(quoteLiteral)
  if (values.length > listed.most && values.length < listed.from)
    return `CHECK (${literals.map((literal) => `${name} = ${literal}`).join(' OR ')})`
  return `CHECK (${name} IN (${literals.join(', ')}))`
}

/** The text of one of the library's own tables in files that were made when all values of a column were listed. */
export function earlierTable(sql: string): string {
  const compared = /CHECK \(("\w+") = ('\w+'(?: OR \1 = '\w+')+)\)/g
  return sql.replaceAll(compared, (_, name: string, values: string) => `CHECK (${name} IN (${values.replaceAll(` OR ${name} = `, ', ')}))`)
}

/** Spells tables as they stand in a file of SQLite. */
export const tableDefiner: TableDefiner = {
  capabilities: { forwardReferences: true, countedIdInIndexes: true, serialWrites: true },
  allowedValues,
  columnDefinition,
  columnType,
  createTableSql,
  idDefinition,
}
