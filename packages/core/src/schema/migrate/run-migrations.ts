import type { Connection, Engine } from '../../engine/engine.ts'
import { MigrationError } from '../../errors.ts'
import { kyselyHandle } from '../../session/kysely-handle.ts'
import { unitContext, type WriteOptions } from '../../session/options.ts'
import { TableEditor } from '../change/table-editor.ts'
import { upgradeSystemTables } from '../system-tables.ts'
import type { Migration, MigrationDatabase, MigrationStatus } from './migration.ts'
import { MigrationLog, type MigrationRecord } from './migration-records.ts'

/** Who migrates. */
export type Migrating = Pick<WriteOptions, 'actor' | 'requestId'>

/** How migrations stand to the records of a database. */
export function statusOf(migrations: readonly Migration[], records: readonly MigrationRecord[]): MigrationStatus {
  const known = new Map(migrations.map((migration) => [migration.name, migration]))
  const applied = new Set(records.map(({ name }) => name))
  const ofFiles = records.filter(({ kind }) => kind !== 'automatic')
  return {
    applied: records.map(({ name, kind, actor, applied_at, changes }) => ({ name, kind, actor, appliedAt: applied_at, changes })),
    pending: migrations.filter(({ name }) => !applied.has(name)).map(({ name }) => name),
    changed: ofFiles.filter((record) => isChanged(known.get(record.name), record)).map(({ name }) => name),
    missing: ofFiles.filter(({ name }) => !known.has(name)).map(({ name }) => name),
  }
}

function isChanged(migration: Migration | undefined, { checksum }: MigrationRecord): boolean {
  return checksum !== null && migration?.checksum !== undefined && migration.checksum !== checksum
}

/** Throws MigrationError `migration_changed` where a migration that was applied is another one now. */
export function refuseChanged({ changed }: MigrationStatus): void {
  const [name, ...more] = changed
  if (name === undefined) return
  const others = more.length === 0 ? '' : ` So ${more.length === 1 ? 'was' : 'were'} ${more.join(', ')}.`
  throw new MigrationError(
    'migration_changed',
    `The migration ${name} was changed after it had been applied.${others} Put it back as it was, and write a new one for what is to change. Nothing was changed.`,
  )
}

/**
 * Applies what is pending, each migration in a transaction of its own with its record: whoever is killed has done some of them whole, and
 * the next run goes on with the rest. Answers their names.
 */
export async function applyMigrations(engine: Engine, migrations: readonly Migration[], who: Migrating): Promise<string[]> {
  const applied: string[] = []
  for (;;) {
    const name = await engine.define((connection) => applyNext(engine, connection, migrations, who), { changesTables: true })
    if (name === undefined) return applied
    applied.push(name)
  }
}

/** Under the lock that one instance at a time has: another one may have been quicker. */
async function applyNext(
  engine: Engine,
  connection: Connection,
  migrations: readonly Migration[],
  who: Migrating,
): Promise<string | undefined> {
  await upgradeSystemTables(engine, connection)
  const log = new MigrationLog(engine)
  const status = statusOf(migrations, await log.all(connection))
  refuseChanged(status)
  const next = migrations.find(({ name }) => name === status.pending[0])
  if (!next) return undefined
  const editor = new TableEditor(engine, connection)
  await named(next, () => next.up(databaseOf(engine, connection), editor))
  const record = { name: next.name, kind: 'migration' as const, checksum: next.checksum ?? null, changes: editor.done }
  await log.add(connection, unitContext(who, undefined), record)
  return next.name
}

/** Takes back the last migrations, the newest first, each in a transaction of its own. Answers their names. */
export async function revertMigrations(
  engine: Engine,
  migrations: readonly Migration[],
  { steps, ...who }: Migrating & { readonly steps: number },
): Promise<string[]> {
  const reverted: string[] = []
  while (reverted.length < steps) {
    const name = await engine.define((connection) => revertLast(engine, connection, migrations, who), { changesTables: true })
    if (name === undefined) return reverted
    reverted.push(name)
  }
  return reverted
}

async function revertLast(
  engine: Engine,
  connection: Connection,
  migrations: readonly Migration[],
  who: Migrating,
): Promise<string | undefined> {
  const log = new MigrationLog(engine)
  const records = await log.all(connection)
  refuseChanged(statusOf(migrations, records))
  const last = records.findLast(({ kind }) => kind !== 'automatic')
  if (!last) return undefined
  const migration = migrations.find(({ name }) => name === last.name)
  const { down } = migration ?? {}
  if (!migration || !down) {
    const why = migration ? 'has no down' : 'is not there now'
    throw new MigrationError('migration_refused', `The migration ${last.name} cannot be taken back: it ${why}. Nothing was changed.`)
  }
  await named(migration, () => down(databaseOf(engine, connection), new TableEditor(engine, connection)))
  await log.remove(connection, unitContext(who, undefined), last)
  return last.name
}

/** Says in which migration something was refused. */
async function named(migration: Migration, work: () => Promise<void> | void): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error
    throw new MigrationError(error.code === 'migration_changed' ? error.code : 'migration_refused', `${migration.name}: ${error.message}`, {
      cause: error,
    })
  }
}

function databaseOf(engine: Engine, connection: Connection): MigrationDatabase {
  const run = <T>(work: (own: Connection) => T): T => work(connection)
  return kyselyHandle({ builder: engine.builder, isWatched: () => false, unaudited: () => true, read: run, write: run })
}
