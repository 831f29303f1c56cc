import { setTimeout as pause } from 'node:timers/promises'
import { StorageBusyError } from '../../errors.ts'
import type { DatabasePlace, StoredKind, StoredRow } from '../engine.ts'
import type { RowRules } from '../row-rules.ts'
import { applyRowRules } from './apply-row-rules.ts'
import type { Client } from './client.ts'
import { connectTo } from './connect.ts'
import { copyInto } from './copy-rows.ts'
import { quoteName, quoteText } from './names.ts'
import {
  dropSchema,
  makeStaging,
  newSafetySchema,
  type RestoreSchemas,
  restoreSchemas,
  safetySchemas,
  takeRestoreLock,
  thinOutSchemas,
} from './staging.ts'
import { swapTables } from './swap-tables.ts'
import { codecFor } from './values.ts'

/** A column, and how its values are stored. */
type NamedColumn = StoredKind & { readonly name: string }

/** A table to fill, and the values for it. */
export interface FilledTable {
  readonly table: string
  readonly columns: readonly NamedColumn[]
  readonly countedId: string | undefined
  /** The highest id that the content has given away. */
  readonly lastCountedId: number
  /** The rows, in code form, in the order of the columns. */
  readonly rows: Iterable<readonly unknown[]>
}

/** What is written to the log and its head, in code form. */
interface LogRecord {
  readonly epoch: number
  readonly entry: readonly (NamedColumn & { readonly value: unknown })[]
  readonly head: readonly (NamedColumn & { readonly value: unknown })[]
}

/** How the live tables get another content. */
export interface TablesReplacement {
  readonly place: DatabasePlace
  /** Makes the tables, without references; then the references. */
  readonly definitions: readonly string[]
  readonly references: readonly string[]
  readonly tables: readonly FilledTable[]
  /** What happens to rows on the way. */
  readonly rules: RowRules
  /** Milliseconds to wait for the locks. */
  readonly patience: number
  /** The tables of the log and its head. */
  readonly log: { readonly table: string; readonly head: string; readonly headColumns: readonly NamedColumn[] }
  /** What the log is told of it, given the rows of both heads. */
  readonly record: (logs: {
    readonly live: StoredRow
    readonly staged: StoredRow
    readonly unsealed: number
    readonly safety: string
  }) => LogRecord
  /** Called between two pieces of the filling, which may rest meanwhile. */
  readonly pace: () => Promise<void>
  /** Is told where the work stands. */
  readonly tell: (step: 'filled' | 'locked' | 'prepared' | 'replaced') => void
}

/**
 * Milliseconds that one try waits for the locks. Readers and writers stand in line behind it, while somebody may read a table for minutes:
 * it gives up soon, and tries again.
 */
const lockWait = 300

/** Milliseconds between two tries, at most: those who stood in line have their turn. */
const retryPause = 300

/** Bytes of rows that are sent at a time, 64 KiB, or one row. */
const mostBatchBytes = 65_536

/** Fills new tables, and swaps them with the live ones in one transaction. Answers the new epoch, and where the replaced tables are. */
export async function replacePostgresTables(replacement: TablesReplacement): Promise<{ readonly epoch: number; readonly safety: string }> {
  if (replacement.place.engine !== 'postgres') throw new Error('This database is a file, which is replaced as one.')
  const client = await connectTo(replacement.place)
  try {
    // Limits that the role has for its statements are not meant for a restore.
    await client.query({ sql: 'SET statement_timeout = 0' })
    const schemas = await restoreSchemas(client)
    await takeRestoreLock(client, schemas)
    const staging = await makeStaging(client, schemas)
    try {
      await fill(client, staging, replacement)
      // Without it questions would be planned for tables of which nothing is known, until the server looks at them by itself.
      for (const { table } of replacement.tables) await client.query({ sql: `ANALYZE ${quoteName(staging)}.${quoteName(table)}` })
      replacement.tell('filled')
      return await swapUntil(performance.now() + replacement.patience, client, schemas, staging, replacement)
    } finally {
      // What came of the restore does not depend on it; the next one tries again.
      await tidyUp(client, schemas, staging).catch(() => undefined)
    }
  } finally {
    await client.close()
  }
}

async function tidyUp(client: Client, schemas: RestoreSchemas, staging: string): Promise<void> {
  await dropSchema(client, staging)
  await thinOutSchemas(client, schemas)
}

/** Where the last replaced tables are, if any are left. */
export async function lastSafetySchema(place: DatabasePlace): Promise<DatabasePlace | undefined> {
  if (place.engine !== 'postgres') return undefined
  const client = await connectTo(place)
  try {
    const [schema] = await safetySchemas(client, await restoreSchemas(client))
    return schema === undefined ? undefined : { ...place, schema }
  } finally {
    await client.close()
  }
}

async function fill(client: Client, staging: string, { definitions, references, tables, pace }: TablesReplacement): Promise<void> {
  await client.query({ sql: `BEGIN; SET LOCAL search_path TO ${quoteName(staging)}` })
  try {
    for (const sql of definitions) await client.query({ sql })
    for (const table of tables) await fillTable(client, staging, table, pace)
    for (const sql of references) await client.query({ sql })
    await client.query({ sql: 'COMMIT' })
  } catch (error) {
    await client.query({ sql: 'ROLLBACK' }).catch(() => client.destroy())
    throw error
  }
}

async function fillTable(client: Client, staging: string, filled: FilledTable, pace: TablesReplacement['pace']): Promise<void> {
  const { table, columns, countedId, lastCountedId } = filled
  const copy = copyInto(
    client,
    table,
    columns.map(({ name }) => name),
  )
  try {
    for (const rows of inBatches(filled)) {
      await copy.add(rows)
      await pace()
    }
  } catch (error) {
    // Before that nothing else can be asked of the connection.
    await copy.end().catch(() => undefined)
    throw error
  }
  await copy.end()
  if (countedId !== undefined && lastCountedId > 0)
    await client.query({ sql: setId(`${quoteName(staging)}.${quoteName(table)}`, countedId, lastCountedId) })
}

/** The rows of a table in the engine's own form. */
function* inBatches({ columns, rows }: FilledTable): Generator<unknown[][], void, undefined> {
  const encoders = columns.map((column) => codecFor(column).encode)
  let batch: unknown[][] = []
  let bytes = 0
  for (const row of rows) {
    const encoded = row.map((value, index) => (value === null ? null : encoders[index]?.(value)))
    batch.push(encoded)
    for (const value of encoded) bytes += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
    if (bytes < mostBatchBytes) continue
    yield batch
    batch = []
    bytes = 0
  }
  yield batch
}

function setId(table: string, column: string, id: number): string {
  return `SELECT setval(pg_get_serial_sequence(${quoteText(table)}, ${quoteText(column)}), ${Math.trunc(id)})`
}

/** Units that hold one table and want another can deadlock with the locks of a swap: it tries again. */
async function swapUntil(
  giveUpAt: number,
  ...[client, schemas, staging, replacement]: Parameters<typeof swap>
): Promise<{ epoch: number; safety: string }> {
  for (;;) {
    try {
      return await swap(client, schemas, staging, replacement)
    } catch (error) {
      if (!(error instanceof StorageBusyError) || performance.now() >= giveUpAt) throw error
    }
    await pause(retryPause * Math.random())
  }
}

async function swap(
  client: Client,
  schemas: RestoreSchemas,
  staging: string,
  replacement: TablesReplacement,
): Promise<{ epoch: number; safety: string }> {
  const safety = newSafetySchema(schemas)
  let epoch = 0
  await swapTables(client, {
    tables: replacement.tables.map(({ table }) => table),
    live: schemas.live,
    staging,
    safety,
    lockWait: Math.min(lockWait, replacement.patience),
    prepare: async () => {
      replacement.tell('locked')
      epoch = await prepare(client, { live: schemas.live, staging, safety }, replacement)
      replacement.tell('prepared')
    },
  })
  replacement.tell('replaced')
  return { epoch, safety }
}

/** While the live tables are locked: ids go on above theirs, what has to stay is carried over, and the log says what is done. */
async function prepare(
  client: Client,
  { live, staging, safety }: RestoreSchemas,
  { tables, rules, log, record }: TablesReplacement,
): Promise<number> {
  const one = async (sql: string): Promise<StoredRow | undefined> => (await client.query({ sql })).rows[0]
  const at = (schema: string, table: string): string => `${quoteName(schema)}.${quoteName(table)}`
  for (const { table, countedId, lastCountedId } of tables) {
    if (countedId === undefined) continue
    const given = await one(
      `SELECT pg_sequence_last_value(pg_get_serial_sequence(${quoteText(at(live, table))}, ${quoteText(countedId)})::regclass) AS last`,
    )
    const last = Math.max(Number(given?.['last'] ?? 0), lastCountedId)
    if (last > 0) await one(setId(at(staging, table), countedId, last))
  }
  await applyRowRules(client, { live, staging }, rules)
  const headOf = async (schema: string): Promise<StoredRow> =>
    decoded(log.headColumns, (await one(`SELECT * FROM ${at(schema, log.head)}`)) ?? {})
  const unsealed = Number((await one(`SELECT count(*) AS count FROM ${at(live, log.table)} WHERE "seq" IS NULL`))?.['count'])
  const heads = { live: await headOf(live), staged: await headOf(staging) }
  const lastId = await one(`SELECT max(id) AS id FROM ${at(live, log.table)}`)
  heads.live['last_entry'] = Math.max(Number(heads.live['last_entry'] ?? 0), Number(lastId?.['id'] ?? 0))
  const { epoch, entry, head } = record({ ...heads, unsealed, safety })
  const encoded = (values: LogRecord['entry']): unknown[] =>
    values.map((column) => (column.value === null ? null : codecFor(column).encode(column.value)))
  await client.query({
    sql: `INSERT INTO ${at(staging, log.table)} (${entry.map(({ name }) => quoteName(name)).join(', ')}) VALUES (${entry.map((_, index) => `$${index + 1}`).join(', ')})`,
    parameters: encoded(entry),
  })
  await client.query({
    sql: `UPDATE ${at(staging, log.head)} SET ${head.map(({ name }, index) => `${quoteName(name)} = $${index + 1}`).join(', ')}`,
    parameters: encoded(head),
  })
  const given = Number(entry.find(({ name }) => name === 'id')?.value)
  const last = await one(
    `SELECT pg_sequence_last_value(pg_get_serial_sequence(${quoteText(at(staging, log.table))}, 'id')::regclass) AS last`,
  )
  await one(setId(at(staging, log.table), 'id', Math.max(given, Number(last?.['last'] ?? 0))))
  return epoch
}

function decoded(columns: readonly NamedColumn[], row: StoredRow): StoredRow {
  return Object.fromEntries(
    columns.map((column) => {
      const stored = row[column.name]
      return [column.name, stored === null || stored === undefined ? null : codecFor(column).decode(stored)]
    }),
  )
}
