import { UsageError } from '../../errors.ts'

const reads = new Set(['SELECT', 'WITH', 'VALUES', 'EXPLAIN', 'PRAGMA'])
const writes = new Set(['INSERT', 'REPLACE', 'UPDATE', 'DELETE', 'CREATE', 'ALTER', 'DROP', 'ANALYZE', 'REINDEX'])

/** These describe the database, with or without an argument. */
const describingPragma =
  /^PRAGMA\s+(\w+\.)?(table_info|table_xinfo|table_list|index_info|index_xinfo|index_list|foreign_key_list|foreign_key_check|integrity_check|quick_check|database_list|collation_list|function_list|module_list|pragma_list|compile_options)\s*(\([^;]*\)|=[^;]*)?[\s;]*$/i

/** These read a setting, as long as no value follows. */
const readingPragma =
  /^PRAGMA\s+(\w+\.)?(user_version|application_id|schema_version|data_version|page_count|page_size|freelist_count|encoding|journal_mode|synchronous|foreign_keys|busy_timeout|max_page_count)[\s;]*$/i

/**
 * Looks at the first word of SQL that somebody else wrote, before it is prepared: a PRAGMA that sets a flag acts when
 * it is prepared, and SQLite calls BEGIN and COMMIT read-only. Only words that are known to be harmless pass.
 */
export function guardRawSql(sql: string, write: boolean): void {
  const text = withoutLeadingComments(sql)
  const word = /^[a-z]+/i.exec(text)?.[0].toUpperCase() ?? ''
  if (word === 'PRAGMA' && !describingPragma.test(text) && !readingPragma.test(text)) refuseControl('this PRAGMA')
  if (reads.has(word)) return
  if (!writes.has(word)) refuseControl(word === '' ? 'an empty statement' : word)
  if (!write) refuseWrite()
}

/** Refuses a statement that would pass by the audit log. */
export function refuseWrite(): never {
  throw new UsageError(
    'unaudited_write',
    'This statement writes past the audit log. Use the accessors, or storage.transaction(fn, { unaudited: true }) when that is what you want.',
  )
}

function refuseControl(what: string): never {
  throw new UsageError(
    'unaudited_write',
    `The storage itself begins, commits and sets up its connections: ${what} cannot be run here. Use storage.transaction(fn), which nests.`,
  )
}

function withoutLeadingComments(sql: string): string {
  return sql.replace(/^(?:[\s;\uFEFF]+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))+/, '')
}
