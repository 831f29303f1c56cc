import { UsageError } from '../errors.ts'
import type { Engine } from './engine.ts'
import type { PostgresSettings, SqliteSettings } from './settings.ts'
import { parseSqliteUrl } from './sqlite/url.ts'
import type { StatementListener } from './statement-listener.ts'

/** Opens the database that a URL names. Each engine, and its driver, is loaded only when it is asked for. */
export async function openEngine(
  url: string,
  {
    onStatement,
    ...settings
  }: { readonly sqlite: SqliteSettings; readonly postgres: PostgresSettings; readonly onStatement?: StatementListener | undefined },
): Promise<Engine> {
  if (/^sqlite:/i.test(url)) {
    const { openSqliteEngine } = await import('./sqlite/open.ts')
    return openSqliteEngine({ ...settings.sqlite, path: parseSqliteUrl(url), onStatement })
  }
  if (/^postgres(ql)?:/i.test(url)) {
    const { openPostgresEngine } = await import('./postgres/open.ts')
    return openPostgresEngine({ ...settings.postgres, url, onStatement })
  }
  throw unknownEngine(url)
}

/** Opens the database that a URL names for reading only. A file, and what stands beside it, stays as it is. */
export async function openEngineToRead(url: string): Promise<Engine> {
  const file = databaseFile(url)
  if (file === undefined) return openEngine(url, { sqlite: {}, postgres: { poolSize: 2 } })
  const { openUnchanged } = await import('./sqlite/open-unchanged.ts')
  return openUnchanged(file)
}

/**
 * The path of the file that a database's URL names, as it is written there; undefined where a server keeps the database.
 *
 * @throws UsageError `invalid_options` for a URL that is of no engine
 * @example
 * databaseFile('sqlite:./app.db')       // './app.db'
 * databaseFile('postgres://host/app')   // undefined
 */
export function databaseFile(url: string): string | undefined {
  if (/^sqlite:/i.test(url)) return parseSqliteUrl(url)
  if (/^postgres(ql)?:/i.test(url)) return undefined
  throw unknownEngine(url)
}

function unknownEngine(url: string): UsageError {
  const scheme = /^[a-z0-9+.-]+:/i.exec(url)?.[0]
  return new UsageError(
    'invalid_options',
    `${scheme ? `A URL with ${scheme}` : 'A URL without a scheme'} is of no engine that this library has. Use sqlite:./app.db or postgres://user:password@host/database.`,
  )
}
