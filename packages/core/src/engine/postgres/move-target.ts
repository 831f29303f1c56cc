import { StorageBusyError } from '../../errors.ts'
import type { DatabasePlace, StoredRow } from '../engine.ts'
import { type CountedTable, type MoveNotes, type MoveTarget, notesTable, readNotes, type TableLoad, wholeMove } from '../move-target.ts'
import type { Client } from './client.ts'
import { connectTo } from './connect.ts'
import { copyInto, type RowCopy } from './copy-rows.ts'
import { allowedValues, columnDefinition, columnType, createTableSql, idDefinition } from './ddl.ts'
import { quoteName, quoteText } from './names.ts'
import { codecFor } from './values.ts'

const definer = {
  capabilities: { forwardReferences: false, countedIdInIndexes: false, serialWrites: false },
  allowedValues,
  columnDefinition,
  columnType,
  createTableSql,
  idDefinition,
}

/** Ends with the session. */
const takeLock = `SELECT pg_try_advisory_lock(hashtextextended('strongroom move into ' || current_schema(), 0)) AS taken`

/** Works in the first schema of the search_path, on a session of its own. */
export async function openPostgresMoveTarget(place: DatabasePlace): Promise<MoveTarget> {
  if (place.engine !== 'postgres') throw new Error('This database is a file.')
  const client = await connectTo(place)
  // What is not on the disk yet when the power goes was not noted either; the last commits wait for it.
  await client.query({ sql: 'SET statement_timeout = 0; SET synchronous_commit = off' })
  const { rows } = await client.query({ sql: takeLock })
  if (rows[0]?.['taken'] === true) return new PostgresMoveTarget(client)
  await client.close()
  throw new StorageBusyError('Another move is at work on this target. Wait until it ends.')
}

class PostgresMoveTarget implements MoveTarget {
  readonly definer = definer
  readonly referencesLast = true
  readonly codec = codecFor
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  async tables(): Promise<readonly string[]> {
    const sql = `SELECT relname AS name FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname <> $1 ORDER BY relname`
    return (await this.#all(sql, [notesTable])).map(({ name }) => String(name))
  }

  async notes(): Promise<MoveNotes | undefined> {
    const [found] = await this.#all(`SELECT to_regclass(quote_ident(current_schema()) || '.' || $1) IS NOT NULL AS found`, [notesTable])
    if (found?.['found'] !== true) return undefined
    return readNotes(await this.#all(`SELECT name, rows, last FROM ${notesTable}`))
  }

  async begin(statements: readonly string[], about: string): Promise<void> {
    await this.#together(async () => {
      for (const sql of statements) await this.#client.query({ sql })
      await this.#client.query({ sql: `CREATE TABLE ${notesTable} (name text PRIMARY KEY, rows bigint NOT NULL, last text)` })
      await this.#all(`INSERT INTO ${notesTable} (name, rows, last) VALUES ($1, 0, $2)`, [wholeMove, about])
    })
  }

  load(table: string, columns: readonly string[]): TableLoad {
    const note = `INSERT INTO ${notesTable} (name, rows, last) VALUES ($1, $2, $3)
      ON CONFLICT (name) DO UPDATE SET rows = excluded.rows, last = excluded.last`
    let copy: RowCopy | undefined
    return {
      add: async (rows) => {
        if (!copy) await this.#client.query({ sql: 'BEGIN' })
        copy ??= copyInto(this.#client, table, columns)
        await copy.add(rows)
      },
      keep: async ({ rows, last }) => {
        if (!copy) return
        await copy.end()
        copy = undefined
        await this.#all(note, [table, rows, last])
        await this.#client.query({ sql: 'COMMIT' })
      },
    }
  }

  async complete(statements: readonly string[], counted: readonly CountedTable[]): Promise<void> {
    await this.#together(async () => {
      await this.#client.query({ sql: 'SET LOCAL synchronous_commit = on' })
      for (const sql of statements) await this.#client.query({ sql })
      for (const { table, idColumn, last } of counted) {
        if (last < 1) continue
        const sequence = `pg_get_serial_sequence(${quoteText(quoteName(table))}, ${quoteText(idColumn)})`
        await this.#client.query({ sql: `SELECT setval(${sequence}, ${Math.trunc(last)})` })
      }
      await this.#all(`UPDATE ${notesTable} SET rows = 1 WHERE name = $1`, [wholeMove])
    })
    // Without it the first questions would be planned for empty tables.
    await this.#client.query({ sql: 'ANALYZE' })
  }

  async clear(tables: readonly string[]): Promise<void> {
    const names = [...tables, notesTable].map(quoteName).join(', ')
    await this.#client.query({ sql: `DROP TABLE IF EXISTS ${names}` })
  }

  async finish(): Promise<void> {
    await this.#together(async () => {
      await this.#client.query({ sql: `SET LOCAL synchronous_commit = on; DROP TABLE ${notesTable}` })
    })
  }

  async close(): Promise<void> {
    // Between the rows of a COPY a server does not hear that somebody leaves.
    if (this.#client.reusable) await this.#client.close()
    else this.#client.destroy()
  }

  async #all(sql: string, parameters: readonly unknown[] = []): Promise<StoredRow[]> {
    return (await this.#client.query({ sql, parameters })).rows
  }

  async #together(work: () => Promise<void>): Promise<void> {
    await this.#client.query({ sql: 'BEGIN' })
    try {
      await work()
      await this.#client.query({ sql: 'COMMIT' })
    } catch (error) {
      await this.#client.query({ sql: 'ROLLBACK' }).catch(() => this.#client.destroy())
      throw error
    }
  }
}
