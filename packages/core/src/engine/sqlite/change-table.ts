import { StrongroomError } from '../../errors.ts'
import { referenceName } from '../../model/constraint-names.ts'
import type { ColumnDefinition, Connection, IndexShape, ReferenceShape, StoredRow } from '../engine.ts'
import { indexPredicate } from '../index-predicate.ts'
import type { AddedColumn, TableChange } from '../table-change.ts'
import { columnDefinition, quoteName } from './ddl.ts'
import { type ColumnText, readTableText, type TableText } from './table-text.ts'

/** Runs work while SQLite's `legacy_alter_table` is on. */
export type InOldWay = (work: () => Promise<void>) => Promise<void>

/**
 * Changes a table. What ALTER TABLE cannot do is done by SQLite's own procedure, https://www.sqlite.org/lang_altertable.html#otheralter:
 * its steps 1, 10 and 12 (foreign keys off, checked, and on again) are those of `define`.
 */
export async function changeTable(connection: Connection, change: TableChange, inOldWay: InOldWay): Promise<void> {
  const run = async (sql: string): Promise<unknown> => connection.run({ sql, parameters: [] })
  const gone = [...(change.dropIndexes ?? []), ...(change.renameIndexes ?? []).map(({ from }) => from)]
  for (const name of gone) await run(`DROP INDEX ${quoteName(name)}`)
  const old = quoteName(change.table)
  for (const { from, to } of change.renameColumns ?? []) {
    await run(`ALTER TABLE ${old} RENAME COLUMN ${quoteName(from)} TO ${quoteName(to)}`)
  }
  const table = change.renameTo ?? change.table
  if (change.renameTo !== undefined) await run(`ALTER TABLE ${old} RENAME TO ${quoteName(table)}`)
  if (needsRebuild(change)) await rebuild(connection, table, renamedReferences(change), inOldWay)
  else {
    for (const { column } of change.addColumns ?? [])
      await run(`ALTER TABLE ${quoteName(table)} ADD COLUMN ${addedText(table, column, change)}`)
  }
  const made = [...(change.renameIndexes ?? []).map(({ to }) => to), ...(change.addIndexes ?? [])]
  for (const index of made) await run(indexSql(table, index))
}

export function indexSql(table: string, index: IndexShape): string {
  const columns = index.columns.map(quoteName).join(', ')
  return `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteName(index.name)} ON ${quoteName(table)} (${columns})${indexPredicate(index)}`
}

/** A column that takes null is added without a look at the rows; everything else writes the table anew. */
function needsRebuild({ dropColumns, dropReferences, alterColumns, addColumns, addReferences }: TableChange): boolean {
  const added = new Set((addColumns ?? []).map(({ column }) => column.name))
  return (
    [dropColumns, dropReferences, alterColumns].some((list) => (list?.length ?? 0) > 0) ||
    (addColumns ?? []).some(({ column, fill }) => !column.nullable || (fill ?? null) !== null) ||
    (addReferences ?? []).some(({ column }) => !added.has(column))
  )
}

function addedText(table: string, column: ColumnDefinition, { addReferences = [] }: TableChange): string {
  const reference = addReferences.find((candidate) => candidate.column === column.name)
  const text = `${quoteName(column.name)} ${columnDefinition(column)}`
  if (!reference) return text
  const target = `${quoteName(reference.table)} (${quoteName(reference.targetColumn)})`
  return `${text} CONSTRAINT ${quoteName(referenceName(table, column.name))} REFERENCES ${target}`
}

/** References are dropped after columns were renamed. */
function renamedReferences(change: TableChange): TableChange {
  const names = new Map((change.renameColumns ?? []).map(({ from, to }) => [from, to]))
  const dropReferences = (change.dropReferences ?? []).map((reference) => ({
    ...reference,
    column: names.get(reference.column) ?? reference.column,
  }))
  return { ...change, dropReferences }
}

/** The table as it is from now on, and where its rows come from. */
interface NewTable {
  readonly definitions: readonly string[]
  readonly copied: readonly string[]
  readonly filled: readonly AddedColumn[]
}

/** Steps 3 to 9. */
async function rebuild(connection: Connection, table: string, change: TableChange, inOldWay: InOldWay): Promise<void> {
  const all = async (sql: string, parameters: readonly unknown[] = []): Promise<StoredRow[]> => connection.all({ sql, parameters })
  const run = async (sql: string, parameters: readonly unknown[] = []): Promise<unknown> => connection.run({ sql, parameters })
  // 3. What hangs on the table. Views stay: nothing of them is stored.
  const hanging = await all(
    `SELECT sql FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid`,
    [table],
  )
  const [given] = await all(`SELECT max(seq) AS seq FROM sqlite_sequence WHERE name = ? COLLATE NOCASE`, [table]).catch(() => [])
  const [own] = await all(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE`, [table])
  const text = readTableText(String(own?.sql))
  if (!text) throw new StrongroomError('internal_error', `The table ${table} cannot be changed: what defines it cannot be read.`)
  const { definitions, copied, filled } = newTable(table, text, change)
  // 4. to 7.
  const temporary = quoteName(`strongroom_new_${table}`)
  await run(`CREATE TABLE ${temporary} (\n  ${definitions.join(',\n  ')}\n)${text.options === '' ? '' : ` ${text.options}`}`)
  const names = [...copied, ...filled.map(({ column }) => column.name)].map(quoteName).join(', ')
  const sources = [...copied.map(quoteName), ...filled.map(() => '?')].join(', ')
  const values = filled.map(({ fill }) => fill ?? null)
  await run(`INSERT INTO ${temporary} (${names}) SELECT ${sources} FROM ${quoteName(table)}`, values)
  await run(`DROP TABLE ${quoteName(table)}`)
  // In the newer way SQLite would look into triggers and views, which name a table that is not there now.
  await inOldWay(async () => void (await run(`ALTER TABLE ${temporary} RENAME TO ${quoteName(table)}`)))
  // Ids that were given away are not given again.
  if ((given?.seq ?? null) !== null) {
    await run('UPDATE sqlite_sequence SET seq = CAST(? AS INTEGER) WHERE name = ?', [given?.seq, table])
    await run(
      'INSERT INTO sqlite_sequence (name, seq) SELECT ?, CAST(? AS INTEGER) WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)',
      [table, given?.seq, table],
    )
  }
  // 8. and 9.
  for (const { sql } of hanging) await run(String(sql))
}

function newTable(table: string, text: TableText, change: TableChange): NewTable {
  const dropped = new Set(change.dropColumns)
  const altered = new Map((change.alterColumns ?? []).map((column) => [column.name, column]))
  const added = new Map((change.addColumns ?? []).map((column) => [column.column.name, column]))
  const kept = text.columns.filter(({ name }) => !dropped.has(name))
  const isDropped = ({ column }: ReferenceShape): boolean =>
    dropped.has(column) || (change.dropReferences ?? []).some((reference) => reference.column === column)
  // Written at their columns or behind them: from now on they all stand behind.
  const inline = kept.flatMap((column) => (column.reference && !column.strange && !isDropped(column.reference) ? [column.reference] : []))
  const apart = text.constraints.filter(({ reference }) => !reference || !isDropped(reference)).map((constraint) => constraint.text)
  const references = [...inline, ...(change.addReferences ?? [])].map((reference) => referenceText(table, reference))
  return {
    definitions: [
      ...kept.map((column) => columnText(column, altered.get(column.name))),
      ...[...added.values()].map(({ column }) => `${quoteName(column.name)} ${columnDefinition(column)}`),
      ...apart,
      ...references,
    ],
    // What is computed is computed again.
    copied: kept.filter(({ strange, text: words }) => !strange || !/\bAS\s*\(/i.test(words)).map(({ name }) => name),
    filled: [...added.values()].filter(({ fill }) => (fill ?? null) !== null),
  }
}

function columnText(column: ColumnText, altered: ColumnDefinition | undefined): string {
  if (altered) return `${quoteName(altered.name)} ${columnDefinition(altered)}`
  if (!column.reference || column.strange) return column.text
  // The reference goes behind the columns.
  return column.text.replace(/\s*(?:CONSTRAINT\s+(?:"(?:[^"]|"")*"|\w+)\s+)?REFERENCES\s[\s\S]*$/i, '')
}

/** The statement's text of a reference behind the columns. */
export function referenceText(table: string, { name, column, table: target, targetColumn }: ReferenceShape): string {
  const place = targetColumn === '' ? '' : ` (${quoteName(targetColumn)})`
  return `CONSTRAINT ${quoteName(name ?? referenceName(table, column))} FOREIGN KEY (${quoteName(column)}) REFERENCES ${quoteName(target)}${place}`
}
