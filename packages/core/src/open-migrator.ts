import { checkReferences } from './accessor/references.ts'
import { refuseRepeats } from './accessor/refuse-repeats.ts'
import { openEngine, openEngineToRead } from './engine/open-engine.ts'
import type { PostgresSettings, SqliteSettings } from './engine/settings.ts'
import { UsageError } from './errors.ts'
import type { AnyAccessor } from './options.ts'
import type { MigrationSource } from './schema/migrate/migration.ts'
import { EngineMigrator, type Migrator } from './schema/migrate/migrator.ts'

/** What a migrator works on. */
export interface MigratorOptions {
  /** `sqlite:./app.db` or `postgres://user:password@host/database`. */
  readonly url: string
  /** All accessors of the database; they may be open elsewhere. Without them migrations are applied, and nothing is compared. */
  readonly accessors?: readonly AnyAccessor[]
  /** The folder of migrations, or a list. */
  readonly migrations: MigrationSource
  readonly sqlite?: SqliteSettings
  readonly postgres?: PostgresSettings
}

const known = ['url', 'accessors', 'migrations', 'sqlite', 'postgres']

/**
 * Works on the schema of a database: compares it with models, writes migrations, applies them and takes them back. A storage does the same
 * at its start with the option `migrations`; this is for those who do it apart from that, as the command line does.
 *
 * @throws UsageError `invalid_options` for options that cannot work
 * @example
 * const migrator = await openMigrator({ url: 'sqlite:./app.db', accessors: [users], migrations: './migrations' })
 * console.log(await migrator.diff())
 * await migrator.write('add nickname')
 * await migrator.up({ actor: 'deploy' })
 * await migrator.close()
 */
export async function openMigrator(options: MigratorOptions): Promise<Migrator> {
  const stranger = Object.keys(options).find((name) => !known.includes(name))
  if (stranger !== undefined)
    throw new UsageError('invalid_options', `"${stranger}" is no option of openMigrator. There are ${known.join(', ')}.`)
  const { url, accessors = [], migrations, sqlite = {}, postgres = {} } = options
  if (typeof url !== 'string' || url === '') throw new UsageError('invalid_options', 'openMigrator needs a url, e.g. "sqlite:./app.db".')
  if (typeof migrations !== 'string' && !Array.isArray(migrations))
    throw new UsageError('invalid_options', 'openMigrator needs migrations: a folder, or a list.')
  refuseRepeats(accessors)
  const models = accessors.map(({ model }) => model)
  checkReferences(models)
  const engines = { toRead: () => openEngineToRead(url), toWrite: () => openEngine(url, { sqlite, postgres }) }
  return new EngineMigrator(engines, models, migrations)
}
