import type { Engine } from '../../engine/engine.ts'
import { MigrationError, UsageError } from '../../errors.ts'
import type { AnyModel } from '../../model/model.ts'
import { remember } from '../change/table-memory.ts'
import { definitionOf } from '../definition/definition-of.ts'
import { blocking, diffSchema, leftovers, needingMigration, type SchemaDiff } from '../diff/schema-diff.ts'
import { guardLog } from '../guard-log.ts'
import { makeTables } from '../make-tables.ts'
import { holdToTenants } from '../tenant-policies.ts'
import { loadMigrations } from './load-migrations.ts'
import type { MigrationSource, MigrationStatus } from './migration.ts'
import { planMigration } from './plan-migration.ts'
import { readStatus } from './read-status.ts'
import { applyMigrations, type Migrating, refuseChanged, revertMigrations } from './run-migrations.ts'
import { migrationName, migrationText, writeMigrationFile } from './write-migration.ts'

/** How a database differs from models. */
export interface SchemaReport {
  /** What keeps it from serving them, a sentence for each. */
  readonly differences: readonly string[]
  /** Those among them that no start makes away with by itself: they need a migration. */
  readonly needMigration: readonly string[]
  /** What is there and no model asks for: fields, indexes and tables that models had before. */
  readonly leftovers: readonly string[]
}

/** What `up` did. */
export interface MigratedReport {
  /** The migrations that were applied, in their order. */
  readonly applied: readonly string[]
  /** The database was empty: its tables were made as the models want them, and the migrations are recorded as contained in that. */
  readonly made: boolean
  /** What still differs, a sentence for each. */
  readonly differences: readonly string[]
}

/** Works on the schema of a database that no storage of this process has to have open. */
export interface Migrator {
  /** Holds the database against the models. Nothing is written. */
  diff(): Promise<SchemaReport>
  /** Tells which migrations were applied, by whom, and which are pending. Nothing is written. */
  status(): Promise<MigrationStatus>
  /**
   * Writes a new migration's file, which makes away with all differences, into the folder of migrations. Answers its path.
   * @throws MigrationError `migration_refused` where there is no difference (unless `empty`), or one that no migration can make away with
   */
  write(title: string, options?: { readonly empty?: boolean }): Promise<string>
  /**
   * Applies what is pending, one migration after the other, each in its own transaction, under a lock that one instance at a time has.
   * @throws MigrationError `migration_refused` where records stand against one, which has then done nothing; those before it are done
   */
  up(options?: Migrating): Promise<MigratedReport>
  /** Takes back the last migration, or the last `steps`. Answers their names. */
  down(options?: Migrating & { readonly steps?: number }): Promise<readonly string[]>
  close(): Promise<void>
}

/** How a database is opened: diff and status change nothing of it. */
export interface MigratorEngines {
  readonly toRead: () => Promise<Engine>
  readonly toWrite: () => Promise<Engine>
}

/** A migrator that opens its database when it is asked for something. */
export class EngineMigrator implements Migrator {
  readonly #engines: MigratorEngines
  readonly #models: readonly AnyModel[]
  readonly #source: MigrationSource
  #reading: Promise<Engine> | undefined
  #writing: Promise<Engine> | undefined

  constructor(engines: MigratorEngines, models: readonly AnyModel[], source: MigrationSource) {
    this.#engines = engines
    this.#models = models
    this.#source = source
  }

  async diff(): Promise<SchemaReport> {
    const diff = await this.#diff()
    return { differences: blocking(diff), needMigration: needingMigration(diff), leftovers: leftovers(diff) }
  }

  async status(): Promise<MigrationStatus> {
    return await readStatus(await this.#toRead(), await loadMigrations(this.#source))
  }

  async write(title: string, { empty = false }: { readonly empty?: boolean } = {}): Promise<string> {
    if (typeof this.#source !== 'string') throw new UsageError('invalid_options', 'Migrations are written into a folder: say which.')
    const name = migrationName(title, new Date())
    if (empty) return await writeMigrationFile(this.#source, name, migrationText({ up: [], down: [] }))
    const { impossible, ...plan } = planMigration(await this.#diff())
    if (impossible.length > 0) {
      const list = impossible.map((line) => `- ${line}`).join('\n')
      throw new MigrationError(
        'migration_refused',
        `No migration can do this:\n${list}\nAn id stays what it is: make a new model, and copy the records. Nothing was written.`,
      )
    }
    if (plan.up.length === 0) throw new MigrationError('migration_refused', 'The database is as the models want it. Nothing was written.')
    return await writeMigrationFile(this.#source, name, migrationText(plan))
  }

  async up(options: Migrating = {}): Promise<MigratedReport> {
    const migrations = await loadMigrations(this.#source)
    const engine = await this.#toWrite()
    refuseChanged(await readStatus(engine, migrations))
    if (this.#models.length > 0 && (await makeTables(engine, this.#models, migrations, options))) {
      await guardLog(engine, { createTables: true })
      await holdToTenants(engine, this.#models, { createTables: true })
      return { applied: [], made: true, differences: blocking(await diffOf(engine, this.#models)) }
    }
    const applied = await applyMigrations(engine, migrations, options)
    const diff = await diffOf(engine, this.#models)
    const differences = this.#models.length === 0 ? [] : blocking(diff)
    if (differences.length === 0 && diff.unremembered.length > 0) await rememberAll(engine, diff)
    if (differences.length === 0) await holdToTenants(engine, this.#models, { createTables: true })
    return { applied, made: false, differences }
  }

  async down({ steps = 1, ...who }: Migrating & { readonly steps?: number } = {}): Promise<readonly string[]> {
    if (!Number.isSafeInteger(steps) || steps < 1) throw new UsageError('invalid_options', 'steps is a whole number from 1 on.')
    return await revertMigrations(await this.#toWrite(), await loadMigrations(this.#source), { ...who, steps })
  }

  async close(): Promise<void> {
    // What could not be opened was told already.
    for (const opened of [this.#reading, this.#writing]) await (await opened?.catch(() => undefined))?.close()
  }

  async #diff(): Promise<SchemaDiff> {
    return await diffOf(await this.#toRead(), this.#models)
  }

  #toRead(): Promise<Engine> {
    if (this.#writing) return this.#writing
    this.#reading ??= this.#engines.toRead()
    return this.#reading
  }

  #toWrite(): Promise<Engine> {
    this.#writing ??= this.#engines.toWrite()
    return this.#writing
  }
}

async function diffOf(engine: Engine, models: readonly AnyModel[]): Promise<SchemaDiff> {
  return await engine.read((connection) => diffSchema(engine, connection, models))
}

async function rememberAll(engine: Engine, { unremembered }: SchemaDiff): Promise<void> {
  await engine.define(async (connection) => {
    for (const model of unremembered) await remember([engine, connection], model.name, definitionOf(model))
  })
}
