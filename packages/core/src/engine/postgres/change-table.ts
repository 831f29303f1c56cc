import { referenceName } from '../../model/constraint-names.ts'
import type { ColumnDefinition, Connection, IndexShape, ReferenceShape } from '../engine.ts'
import { indexPredicate } from '../index-predicate.ts'
import { inPassing } from '../passing-names.ts'
import type { AddedColumn, ColumnTarget, TableChange } from '../table-change.ts'
import { isValueList } from './check-text.ts'
import { checkOf, columnDefinition, columnType } from './ddl.ts'
import { quoteName, quoteText } from './names.ts'
import { releaseTenants } from './row-security.ts'

/** Changes a table: each part by a statement of its own, all in one transaction. */
export async function changeTable(connection: Connection, change: TableChange): Promise<void> {
  const run = async (sql: string): Promise<unknown> => connection.run({ sql, parameters: [] })
  for (const name of change.dropIndexes ?? []) await run(`DROP INDEX ${quoteName(name)}`)
  const alterOld = (action: string) => run(`ALTER TABLE ${quoteName(change.table)} ${action}`)
  for (const { name, column } of change.dropReferences ?? []) {
    await alterOld(`DROP CONSTRAINT ${quoteName(name ?? referenceName(change.table, column))}`)
  }
  const indexes = (change.renameIndexes ?? []).map(({ from, to }) => ({ from, to: to.name }))
  for (const { from, to } of inPassing(indexes)) await run(`ALTER INDEX ${quoteName(from)} RENAME TO ${quoteName(to)}`)
  for (const { from, to } of inPassing(change.renameReferences ?? [])) {
    await alterOld(`RENAME CONSTRAINT ${quoteName(from)} TO ${quoteName(to)}`)
  }
  for (const { from, to } of change.renameColumns ?? []) await alterOld(`RENAME COLUMN ${quoteName(from)} TO ${quoteName(to)}`)
  const table = change.renameTo ?? change.table
  if (change.renameTo !== undefined) await alterOld(`RENAME TO ${quoteName(table)}`)
  const alter = (action: string) => run(`ALTER TABLE ${quoteName(table)} ${action}`)
  for (const name of change.dropColumns ?? []) {
    await releaseTenants(connection, table, name)
    await alter(`DROP COLUMN ${quoteName(name)}`)
  }
  for (const added of change.addColumns ?? []) await addColumn(alter, added)
  for (const column of change.alterColumns ?? []) await alterColumn(connection, alter, table, column)
  for (const reference of change.addReferences ?? []) await alter(`ADD ${referenceText(table, reference)}`)
  for (const index of change.addIndexes ?? []) await run(indexSql(table, index))
}

type Alter = (action: string) => Promise<unknown>

/** With a default that is taken away again the rows that stand have the value, and none of them is written. */
async function addColumn(alter: Alter, { column, fill }: AddedColumn): Promise<void> {
  const name = quoteName(column.name)
  const hasFill = (fill ?? null) !== null
  await alter(`ADD COLUMN ${name} ${columnDefinition(column)}${hasFill ? ` DEFAULT ${literal(fill)}::${bare(column)}` : ''}`)
  if (hasFill) await alter(`ALTER COLUMN ${name} DROP DEFAULT`)
}

/** A value as `codec` encodes it. */
function literal(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return `'${value}'`
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (value instanceof Uint8Array) return `'\\x${Buffer.from(value).toString('hex')}'`
  return quoteText(String(value))
}

interface Found {
  readonly type: string
  readonly nullable: boolean
  readonly checks: readonly { readonly name: string; readonly text: string }[]
}

async function alterColumn(connection: Connection, alter: Alter, table: string, column: ColumnDefinition): Promise<void> {
  const found = await findColumn(connection, table, column.name)
  const name = quoteName(column.name)
  for (const check of found.checks) if (isValueList(check.text, column.name)) await alter(`DROP CONSTRAINT ${quoteName(check.name)}`)
  // Wider decimals are the same values; every other type was converted before.
  if (found.type !== columnType(column)) {
    await releaseTenants(connection, table, column.name)
    await alter(`ALTER COLUMN ${name} TYPE ${columnType(column)}`)
  }
  if (found.nullable !== column.nullable) await alter(`ALTER COLUMN ${name} ${column.nullable ? 'DROP' : 'SET'} NOT NULL`)
  const check = checkOf(column)
  if (check !== '') await alter(`ADD ${check}`)
}

const columnFacts = `
  SELECT NOT a.attnotnull AS nullable,
    format_type(a.atttypid, a.atttypmod)
      || CASE WHEN a.attcollation NOT IN (0, 100) THEN ' COLLATE ' || quote_ident(c.collname) ELSE '' END AS type,
    (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'text', pg_get_constraintdef(k.oid))), '[]')
      FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum])::text AS checks
  FROM pg_attribute a LEFT JOIN pg_collation c ON c.oid = a.attcollation
  WHERE a.attrelid = (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = $1) AND a.attname = $2`

async function findColumn(connection: Connection, table: string, column: string): Promise<Found> {
  const [row] = await connection.all({ sql: columnFacts, parameters: [table, column] })
  // An array that the query above has made.
  const checks = JSON.parse(String(row?.['checks'] ?? '[]')) as Found['checks']
  return { type: String(row?.['type']), nullable: row?.['nullable'] === true, checks }
}

export function indexSql(table: string, index: IndexShape): string {
  const columns = index.columns.map(quoteName).join(', ')
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteName(index.name)} ON ${quoteName(table)} (${columns})${indexPredicate(index)}`
}

function referenceText(table: string, { column, table: target, targetColumn }: ReferenceShape): string {
  return `CONSTRAINT ${quoteName(referenceName(table, column))} FOREIGN KEY (${quoteName(column)}) REFERENCES ${quoteName(target)} (${quoteName(targetColumn)})`
}

/** Rows for one statement: the protocol counts parameters in 16 bits. */
const rowsAtOnce = 5_000

/** One statement for many rows: each round trip costs more than the rows of it. */
export async function setColumn(
  connection: Connection,
  { table, id, column }: ColumnTarget,
  rows: readonly (readonly [unknown, unknown])[],
): Promise<void> {
  for (let start = 0; start < rows.length; start += rowsAtOnce) {
    const piece = rows.slice(start, start + rowsAtOnce)
    const types = `(CAST($1 AS ${bare(id)}), CAST($2 AS ${bare(column)}))`
    const more = piece.slice(1).map((_row, index) => `(CAST($${index * 2 + 3} AS ${bare(id)}), CAST($${index * 2 + 4} AS ${bare(column)}))`)
    const sql = `UPDATE ${quoteName(table)} AS changed SET ${quoteName(column.name)} = given.value
      FROM (VALUES ${[types, ...more].join(', ')}) AS given (id, value) WHERE changed.${quoteName(id.name)} = given.id`
    await connection.run({ sql, parameters: piece.flat() })
  }
}

/** The type for a cast. */
function bare(column: ColumnDefinition): string {
  return columnType(column).replace(' COLLATE "C"', '')
}
