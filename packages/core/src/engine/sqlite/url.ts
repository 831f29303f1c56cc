import { UsageError } from '../../errors.ts'

const forms = 'Write sqlite:./app.db, sqlite:/absolute/app.db, sqlite:///./app.db, sqlite:////absolute/app.db or sqlite::memory:'

/**
 * Reads a SQLite URL, in its short form or in that of SQLAlchemy (three slashes relative, four absolute).
 * Answers the path as it is written, or `:memory:`. Throws a `UsageError` that shows the forms.
 *
 * @example
 * parseSqliteUrl('sqlite:./app.db')        // './app.db'
 * parseSqliteUrl('sqlite:////data/app.db') // '/data/app.db'
 */
export function parseSqliteUrl(url: string): string {
  const rest = /^sqlite:(.*)$/is.exec(url)?.[1]
  if (rest === undefined) throw new UsageError('invalid_options', `This is no SQLite URL. ${forms}`)
  if (rest.includes('?')) throw new UsageError('invalid_options', `A SQLite URL takes no parameters after "?". ${forms}`)
  if (rest === '//' || rest === '///') return ':memory:'
  const path = rest.startsWith('///') ? rest.slice(3) : rest
  if (path === '//:memory:') return ':memory:'
  if (path === '' || (path.startsWith('//') && !rest.startsWith('///'))) {
    throw new UsageError('invalid_options', `This SQLite URL names no file. ${forms}`)
  }
  return path
}
