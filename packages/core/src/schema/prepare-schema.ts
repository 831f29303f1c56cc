import type { Connection, Engine } from '../engine/engine.ts'
import { SchemaMismatchError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { AnyModel } from '../model/model.ts'
import { unitContext } from '../session/options.ts'
import { TableEditor } from './change/table-editor.ts'
import { remember } from './change/table-memory.ts'
import { definitionOf } from './definition/definition-of.ts'
import { blocking, changesOf, diffSchema, needingMigration, type SchemaDiff } from './diff/schema-diff.ts'
import { guardLog } from './guard-log.ts'
import { makeTables } from './make-tables.ts'
import type { Migration } from './migrate/migration.ts'
import { MigrationLog } from './migrate/migration-records.ts'
import { readStatus } from './migrate/read-status.ts'
import { applyMigrations, type Migrating, refuseChanged } from './migrate/run-migrations.ts'
import { isUnsettled, settleLog, upgradeSystemTables } from './system-tables.ts'
import { holdToTenants } from './tenant-policies.ts'
import { createStatements, inReferenceOrder } from './wanted-table.ts'

/** What may be done to a schema. */
export interface Preparation {
  readonly createTables: boolean
  readonly migrations?: readonly Migration[] | undefined
  /** Who does it, for the audit log. */
  readonly who?: Migrating
  readonly logger?: Logger | undefined
}

/**
 * Applies pending migrations, makes the tables that are missing and changes those that stand, as far as nothing can be lost or refused by
 * it (where that is wanted), and holds all of them against the models.
 * @throws SchemaMismatchError with a sentence for each difference; but for migrations, nothing has been changed then
 */
export async function prepareSchema(engine: Engine, models: readonly AnyModel[], options: Preparation): Promise<void> {
  await prepareTables(engine, models, options)
  // A backup of a database where entries wait for their seal has some that still do.
  if (engine.capabilities.serialWrites && (await engine.read((connection) => isUnsettled(engine, connection))))
    await engine.define((connection) => settleLog(engine, connection))
  await guardLog(engine, options)
  await holdToTenants(engine, models, options)
}

async function prepareTables(engine: Engine, models: readonly AnyModel[], options: Preparation): Promise<void> {
  const { createTables, migrations, who = {} } = options
  // Most starts find everything in place, and then there is no need to wait for writers.
  const before = await readDiff(engine, models)
  const pending = migrations ? await pendingOf(engine, migrations) : []
  if (!createTables) {
    const lines = [...pending.map((name) => `The migration ${name} is not applied.`), ...blocking(before)]
    if (lines.length > 0) throw new SchemaMismatchError(lines, adviceWithoutTables)
    return
  }
  if (migrations && pending.length > 0 && !(await makeTables(engine, models, migrations, who)))
    await applyMigrations(engine, migrations, who)
  const now = pending.length > 0 ? await readDiff(engine, models) : before
  if (blocking(now).length === 0 && now.unremembered.length === 0) return
  await engine.define((connection) => bringUp(engine, connection, models, who), { changesTables: changesAny(now) })
}

async function readDiff(engine: Engine, models: readonly AnyModel[]): Promise<SchemaDiff> {
  return await engine.read((connection) => diffSchema(engine, connection, models))
}

async function pendingOf(engine: Engine, migrations: readonly Migration[]): Promise<readonly string[]> {
  const status = await readStatus(engine, migrations)
  refuseChanged(status)
  return status.pending
}

/** Whether a table that stands is changed. What others do meanwhile makes it less. */
function changesAny({ tables }: SchemaDiff): boolean {
  return tables.some(({ differences }) => differences.some(({ effect }) => effect === 'safe'))
}

async function bringUp(engine: Engine, connection: Connection, models: readonly AnyModel[], who: Migrating): Promise<void> {
  await upgradeSystemTables(engine, connection)
  const diff = await diffSchema(engine, connection, models)
  const stopping = [...diff.system, ...needingMigration(diff)]
  if (stopping.length > 0) throw new SchemaMismatchError(blocking(diff), adviceToMigrate)
  for (const statement of createStatements(inReferenceOrder(diff.missing), engine)) await connection.run({ sql: statement, parameters: [] })
  await changeSafely(engine, connection, diff, who)
  const left = blocking(await diffSchema(engine, connection, models))
  if (left.length > 0) throw new SchemaMismatchError(left)
  for (const model of diff.unremembered) await remember([engine, connection], model.name, definitionOf(model))
}

const adviceWithoutTables =
  'Open with createTables: true to make what is missing, or write and run a migration with strongroom migrate new and strongroom migrate up.'

const adviceToMigrate =
  'Nothing was changed, since data could be lost or refused. Write a migration with strongroom migrate new, and run it with strongroom migrate up.'

async function changeSafely(engine: Engine, connection: Connection, diff: SchemaDiff, who: Migrating): Promise<void> {
  const changed = diff.tables.filter(({ differences }) => differences.some(({ effect }) => effect === 'safe'))
  if (changed.length === 0) return
  const editor = new TableEditor(engine, connection)
  for (const table of changed) await editor.alterTable(table.model.name, changesOf(table, ['safe']))
  const changes = changed.flatMap(({ differences }) =>
    differences.filter(({ effect }) => effect === 'safe').map(({ sentence }) => sentence),
  )
  const name = `${new Date().toISOString().replaceAll(/[-:.TZ]/g, '')}_automatic`
  await new MigrationLog(engine).add(connection, unitContext(who, undefined), { name, kind: 'automatic', checksum: null, changes })
}
