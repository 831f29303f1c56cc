import { type StatementListener, StatementReport } from '../statement-listener.ts'
import type { SqliteDatabase, SqliteStatement } from './driver.ts'

/** Tells a listener of every statement that is prepared on this connection from now on, whenever it runs. */
export function listenToStatements(database: SqliteDatabase, listener: StatementListener): void {
  const prepare = database.prepare.bind(database)
  database.prepare = (sql) => {
    const statement = prepare(sql)
    listen(statement, 'all', sql, listener)
    // Looks at the log come with every commit, and are nobody's question.
    if (!sql.startsWith('PRAGMA')) listen(statement, 'get', sql, listener)
    listen(statement, 'run', sql, listener)
    listenToRows(statement, sql, listener)
    return statement
  }
}

function listen(statement: SqliteStatement, name: 'all' | 'get' | 'run', sql: string, listener: StatementListener): void {
  const original = statement[name].bind(statement) as (parameters: readonly unknown[]) => never
  statement[name] = (parameters) => {
    const start = performance.now()
    let failed = true
    try {
      const result = original(parameters)
      failed = false
      return result
    } finally {
      listener(new StatementReport(sql, parameters, start, failed))
    }
  }
}

/** A stream takes as long as its reader: the beginning alone is told. */
function listenToRows(statement: SqliteStatement, sql: string, listener: StatementListener): void {
  const original = statement.iterate.bind(statement)
  statement.iterate = (parameters) => {
    const start = performance.now()
    const rows = original(parameters)
    listener(new StatementReport(sql, parameters, start, false))
    return rows
  }
}
