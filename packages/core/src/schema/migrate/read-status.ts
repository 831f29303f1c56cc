import type { Connection, Engine } from '../../engine/engine.ts'
import { MigrationRecords } from '../table-records.ts'
import type { Migration, MigrationStatus } from './migration.ts'
import { MigrationLog } from './migration-records.ts'
import { statusOf } from './run-migrations.ts'

/** Reads which migrations were applied. A database that never saw one has none. */
export async function readStatus(engine: Engine, migrations: readonly Migration[]): Promise<MigrationStatus> {
  return await engine.read((connection) => statusOn(engine, connection, migrations))
}

export async function statusOn(engine: Engine, connection: Connection, migrations: readonly Migration[]): Promise<MigrationStatus> {
  const tables = await engine.inspect(connection)
  const isKnown = tables.some(({ name }) => name === MigrationRecords.name)
  return statusOf(migrations, isKnown ? await new MigrationLog(engine).all(connection) : [])
}
