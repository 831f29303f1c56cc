import type { Connection, Engine } from '../engine/engine.ts'
import type { AnyModel } from '../model/model.ts'
import { unitContext } from '../session/options.ts'
import { remember } from './change/table-memory.ts'
import { definitionOf } from './definition/definition-of.ts'
import { diffSchema, type SchemaDiff } from './diff/schema-diff.ts'
import type { Migration } from './migrate/migration.ts'
import { MigrationLog } from './migrate/migration-records.ts'
import type { Migrating } from './migrate/run-migrations.ts'
import { upgradeSystemTables } from './system-tables.ts'
import { createStatements, inReferenceOrder } from './wanted-table.ts'

/** No table of any model stands yet. */
export function isEmpty({ tables, leftover }: SchemaDiff): boolean {
  return tables.length === 0 && leftover.length === 0
}

/**
 * Makes all tables in an empty database as the models want them now. The migrations that led there are not run: they are recorded as
 * contained. False where tables of models stand, or a migration was applied; nothing is done then.
 */
export async function makeTables(
  engine: Engine,
  models: readonly AnyModel[],
  migrations: readonly Migration[],
  who: Migrating,
): Promise<boolean> {
  const isMade = async (connection: Connection): Promise<boolean> => !isEmpty(await diffSchema(engine, connection, models))
  if (await engine.read(isMade)) return false
  return await engine.define(async (connection) => {
    await upgradeSystemTables(engine, connection)
    const log = new MigrationLog(engine)
    const records = await log.all(connection)
    if ((await isMade(connection)) || records.some(({ kind }) => kind === 'migration')) return false
    for (const statement of createStatements(inReferenceOrder(models), engine)) await connection.run({ sql: statement, parameters: [] })
    for (const model of models) await remember([engine, connection], model.name, definitionOf(model))
    const recorded = new Set(records.map(({ name }) => name))
    for (const { name, checksum = null } of migrations.filter((migration) => !recorded.has(migration.name))) {
      await log.add(connection, unitContext(who, undefined), { name, kind: 'contained', checksum, changes: [] })
    }
    return true
  })
}
