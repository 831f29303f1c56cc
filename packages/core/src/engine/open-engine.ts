import { UsageError } from '../errors.ts'
import type { Engine } from './engine.ts'
import type { PostgresSettings, SqliteSettings } from './settings.ts'

/** Opens the database that a URL names. Each engine, and its driver, is loaded only when it is asked for. */
export async function openEngine(
  url: string,
  settings: { readonly sqlite: SqliteSettings; readonly postgres: PostgresSettings },
): Promise<Engine> {
  if (/^sqlite:/i.test(url)) {
    const [{ openSqliteEngine }, { parseSqliteUrl }] = await Promise.all([import('./sqlite/open.ts'), import('./sqlite/url.ts')])
    return openSqliteEngine({ ...settings.sqlite, path: parseSqliteUrl(url) })
  }
  if (/^postgres(ql)?:/i.test(url)) {
    const { openPostgresEngine } = await import('./postgres/open.ts')
    return openPostgresEngine({ ...settings.postgres, url })
  }
  const scheme = /^[a-z0-9+.-]+:/i.exec(url)?.[0]
  throw new UsageError(
    'invalid_options',
    `${scheme ? `A URL with ${scheme}` : 'A URL without a scheme'} is of no engine that this library has. Use sqlite:./app.db or postgres://user:password@host/database.`,
  )
}
