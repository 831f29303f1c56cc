import type { Connection } from '../engine.ts'
import type { LogGuard } from '../log-guard.ts'
import { quoteName } from './ddl.ts'

/** How SQLite says that a trigger of these refused a statement. */
export const appendOnly = 'the audit log is append-only'

const refuse = (how: 'ABORT' | 'FAIL'): string => `BEGIN SELECT RAISE(${how}, '${appendOnly}'); END`

/** A trigger by its name. */
type Triggers = ReadonlyMap<string, string>

/**
 * The triggers that keep a log append-only. Backups hold them, and a restore takes only what it knows to the letter: a text that was
 * released stays known there when it is changed here.
 */
function triggersOf({ log, head, fixed, payload, place, placed }: LogGuard, refusal?: string): Triggers {
  const [table, stand] = [quoteName(log), quoteName(head)]
  const same = (names: readonly string[]): string => names.map((name) => `NEW.${quoteName(name)} IS OLD.${quoteName(name)}`).join(' AND ')
  const sealing = `OLD."seq" IS NULL AND ${placed.map((name) => `NEW.${quoteName(name)} IS NOT NULL`).join(' AND ')} AND ${same(payload)}`
  const erasing = `${payload.map((name) => `NEW.${quoteName(name)} IS NULL`).join(' AND ')} AND ${same(place)} AND EXISTS (SELECT 1 FROM ${table}
    WHERE "component" = OLD."component" AND "record_id" = OLD."record_id" AND "operation" = 'erase' AND "id" > OLD."id")`
  const make = (name: string, on: string, how: 'ABORT' | 'FAIL' = 'ABORT'): [string, string] => [
    name,
    `CREATE TRIGGER ${quoteName(name)} ${on} ${refuse(how)}`,
  ]
  return new Map([
    // An entry that follows the last one is let in by one look at both; what else may begin a log, or go on after a move or restore, takes the longer way.
    // REPLACE passes by DELETE triggers where recursive_triggers is off, so nothing may be there that it would replace.
    // Any trigger of INSERT has SQLite put the rows of a statement for several into a temporary table first: that costs an entry twice what is asked here (measured, without better-sqlite3).
    // With FAIL an INSERT OR FAIL need not be undone by itself, for which SQLite copies each page that it changes: a third of what the log costs a write (measured).
    make(`${log}__append`, `BEFORE INSERT ON ${table} WHEN ${refusal ?? refused(table, stand)}`, 'FAIL'),
    make(`${log}__update`, `BEFORE UPDATE ON ${table} WHEN NOT (${same(fixed)} AND (${sealing} OR ${erasing}))`),
    make(`${log}__delete`, `BEFORE DELETE ON ${table} WHEN OLD."seq" IS NULL OR OLD."seq" >= (SELECT "retained_below" FROM ${stand})`),
    make(`${head}__insert`, `BEFORE INSERT ON ${stand} WHEN EXISTS (SELECT 1 FROM ${stand})`),
    make(
      `${head}__update`,
      `BEFORE UPDATE ON ${stand} WHEN NEW."id" <> OLD."id" OR NEW."seq" < OLD."seq" OR NEW."epoch" < OLD."epoch"
    OR NEW."retained_below" < OLD."retained_below" OR NEW."retained_below" > NEW."seq" + 1
    OR (OLD."origin" IS NOT NULL AND NEW."origin" IS NOT OLD."origin")`,
    ),
    make(`${head}__delete`, `BEFORE DELETE ON ${stand}`),
  ])
}

/** The statements that make the triggers, where none of them stands. */
export function guardSql(guard: LogGuard): string[] {
  return [...triggersOf(guard).values()]
}

/**
 * What is not appended. The entry with the highest id is the last one wherever entries were appended here; what was moved here has others, and its head says where it ends.
 * Either knows of an entry that the other does not know of yet, so what is new comes behind both: no two entries get one position. An id that is counted is
 * -1 here, so none may be below zero; one that is said is above all others.
 */
function refused(table: string, stand: string): string {
  const last = (columns: string): string => `(SELECT ${columns} FROM ${table} ORDER BY "id" DESC LIMIT 1)`
  const follows = `(NEW."seq" - 1, NEW."prev_hash") IS ${last('"seq", "hash"')} AND NEW."seq" > (SELECT "seq" FROM ${stand})`
  // Each subquery costs every entry its part, whether it is asked or not: these are few.
  const followsHead = `EXISTS (SELECT 1 FROM ${stand} WHERE NEW."seq" > "seq" AND (NEW."seq" = "seq" + 1 OR NEW."operation" = 'restore_database')
    AND NEW."prev_hash" IS coalesce("hash", NEW."prev_hash") AND "seq" >= coalesce(${last('"seq"')}, 0))`
  return `NEW."seq" IS NULL OR (NEW."id" <> -1 AND NEW."id" <= coalesce((SELECT max("id") FROM ${table}), 0))
    OR EXISTS (SELECT 1 FROM ${table} WHERE "id" < 0) OR NOT (${follows} OR ${followsHead})`
}

/**
 * What other texts the trigger of INSERT had in files that were made before, each by itself: it found the last entry by an index of positions, at first three times, and
 * refused with ABORT at the very first.
 */
export function earlierGuardSql(guard: LogGuard): string[][] {
  const [table, stand] = [quoteName(guard.log), quoteName(guard.head)]
  const last = (column: string): string => `(SELECT "${column}" FROM ${table} WHERE "seq" IS NOT NULL ORDER BY "seq" DESC LIMIT 1)`
  const before = (column: string): string => `coalesce(${last(column)}, (SELECT "${column}" FROM ${stand}), NEW."${column}" - 1)`
  const elsewhere = `(NEW."seq" - 1, NEW."prev_hash") IS NOT (SELECT "seq", "hash" FROM ${table} ORDER BY "seq" DESC LIMIT 1)`
  const strays = `NEW."seq" <= ${before('seq')} OR (NEW."seq" > ${before('seq')} + 1 AND NEW."operation" <> 'restore_database')
    OR NEW."prev_hash" IS NOT coalesce(${last('hash')}, (SELECT "hash" FROM ${stand}), NEW."prev_hash")`
  const failing = [`(${elsewhere} AND (${strays}))`, strays].map((which) => {
    const refusal = `NEW."seq" IS NULL OR EXISTS (SELECT 1 FROM ${table} WHERE "id" = NEW."id")
    OR ${which}`
    return [...triggersOf(guard, refusal).values()].filter((sql) => sql.endsWith(refuse('FAIL')))
  })
  const [, first = []] = failing
  return [...failing, first.map((sql) => `${sql.slice(0, -refuse('FAIL').length)}${refuse('ABORT')}`)]
}

/** The statements that take the triggers away. */
export function unguardSql(guard: LogGuard): string[] {
  return [...triggersOf(guard).keys()].map((name) => `DROP TRIGGER IF EXISTS ${quoteName(name)}`)
}

/** Whether each trigger stands, as it is wanted. */
export async function isGuarded(connection: Pick<Connection, 'all'>, guard: LogGuard): Promise<boolean> {
  const found = await connection.all({ sql: `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`, parameters: [] })
  const standing = new Map(found.map(({ name, sql }) => [name, sql]))
  return [...triggersOf(guard)].every(([name, sql]) => standing.get(name) === sql)
}
