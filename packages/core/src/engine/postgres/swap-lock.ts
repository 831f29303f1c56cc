import { quoteText } from './names.ts'

/** Both sides have to mean the same number; a schema's name tells one database's tables from another's. */
const key = (schema: string): string => `hashtextextended('strongroom swap of tables in ' || ${schema}, 0)`

/**
 * Keeps tables from being swapped for as long as the session lives. A snapshot that was taken before a swap finds the new tables under the
 * old names, and none of their rows; a lock that is asked for inside its transaction comes after it.
 */
export const keepTables = `SELECT pg_advisory_lock_shared(${key('current_schema()')})`

/** Waits, in the transaction that swaps tables, until no snapshot is open. */
export function awaitSnapshots(schema: string): string {
  return `SELECT pg_advisory_xact_lock(${key(quoteText(schema))})`
}

/** The same until the transaction ends, for one that has begun: what `findsItsTables` answers has to be looked at. */
export const keepTablesInTransaction = `SELECT pg_advisory_xact_lock_shared(${key('current_schema()')})`

/**
 * Whether the snapshot of a transaction is of the tables that its statements find: names are looked up as they are now, and the catalog's
 * rows as they were. All tables are swapped together, and this one is among them.
 */
export const findsItsTables = `SELECT to_regclass('strongroom_audit_head')::oid IS NOT DISTINCT FROM
  (SELECT oid FROM pg_class WHERE relname = 'strongroom_audit_head' AND relnamespace = current_schema()::regnamespace) AS same`
