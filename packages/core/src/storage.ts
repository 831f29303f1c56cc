import type { Readable, Writable } from 'node:stream'
import type { Kysely } from 'kysely'
import { limitsIn, readableEntries } from './access/audit-access.ts'
import { bindAccessor, ModelAccessor } from './accessor/accessor.ts'
import { bindAccessors } from './accessor/bind-accessors.ts'
import type { BoundAccessor } from './accessor/bound-accessor.ts'
import { type ChangeWatch, watchModels } from './accessor/change-watch.ts'
import { type AccessAnswer, type AccessQuestion, explainAccess } from './accessor/explain-access.ts'
import type { ConditionalWriteOptions } from './accessor/match.ts'
import { ErasuresAgain } from './accessor/reapply-erasures.ts'
import { checkReferences } from './accessor/references.ts'
import type { AuditParts } from './audit/audit-accessor.ts'
import type { ChangeEvent, FollowOptions } from './audit/change-events.ts'
import { Erasures } from './audit/erasures.ts'
import { type OpenLog, openLog } from './audit/log.ts'
import { Moments } from './audit/moments.ts'
import { Arrivals } from './changes/arrivals.ts'
import { ChangeFeed } from './changes/change-feed.ts'
import { Counters } from './counters/counters-table.ts'
import { type Count, type CountOptions, SharedCounters } from './counters/shared-counters.ts'
import type { AnyDatabase, Engine } from './engine/engine.ts'
import { openEngine } from './engine/open-engine.ts'
import { UsageError } from './errors.ts'
import { AuditEvidence, endCheckpoints, startCheckpoints } from './evidence/audit-evidence.ts'
import { verifyUnwritten } from './evidence/verify.ts'
import { Health, type StorageHealth } from './health/health.ts'
import { KeptAnswers } from './idempotency/kept-answers.ts'
import { Once } from './idempotency/once.ts'
import type { ImportJob } from './jobs/job.ts'
import { Jobs } from './jobs/jobs.ts'
import { type ImportJobOptions, type ImportReceiver, startImport } from './jobs/start-import.ts'
import { consoleLogger } from './logger.ts'
import type { AnyModel } from './model/model.ts'
import { type AnyAccessor, type ResolvedOptions, resolveOptions, type StorageOptions } from './options.ts'
import { BoundTable } from './query/bound-table.ts'
import { noRetention, Retention, type RetentionCaller } from './retention/retention.ts'
import { type RevertSource, revertSelected } from './revert/revert-changes.ts'
import { BackupRecords } from './schema/backup-records.ts'
import { type DiagramOptions, Diagrams } from './schema/diagram/diagram.ts'
import { JobRecords } from './schema/job-records.ts'
import { loadMigrations } from './schema/migrate/load-migrations.ts'
import type { Migration } from './schema/migrate/migration.ts'
import { prepareSchema } from './schema/prepare-schema.ts'
import { systemModels } from './schema/system-tables.ts'
import type { CallerContext } from './session/context.ts'
import { outerHandle, sessionHandle } from './session/kysely-handles.ts'
import type { CallerOptions, ReadOptions } from './session/options.ts'
import type { Session } from './session/session.ts'
import type { TablesOf } from './session/tables.ts'
import { wait } from './session/task.ts'
import { Units } from './session/units.ts'
import { requireRestorable, requireWholeDatabase } from './session/whole-database.ts'
import type { RecordName, Storage, TransactionOptions } from './storage-interface.ts'
import { type BackupOptions, type BackupReport, type BackupSource, backupTo } from './transfer/backup/backup.ts'
import { type ExportOptions, exportTo } from './transfer/export/export.ts'
import type { ExportManifest } from './transfer/export/manifest.ts'
import { readableTables } from './transfer/export/readable-tables.ts'
import type { ImportSource } from './transfer/import/files-of.ts'
import { type ImportOptions, type ImportTarget, importFrom } from './transfer/import/import.ts'
import type { ImportReport } from './transfer/import/report.ts'
import type { RestoreReport } from './transfer/restore/report.ts'
import type { RestoreOptions } from './transfer/restore/restore.ts'
import { Restores } from './transfer/restore/restores.ts'
import { BackupLog } from './transfer/schedule/backup-log.ts'
import { BackupSchedule } from './transfer/schedule/backup-schedule.ts'
import { type KeptBackup, keptBackup } from './transfer/schedule/kept-backup.ts'
import { Transfers } from './transfer/transfers.ts'

export type { RecordName, Storage, TransactionOptions }

/**
 * Opens a database, makes missing tables, and binds the accessors to it.
 *
 * @throws UsageError `invalid_options` for options that cannot work; SchemaMismatchError when tables do not fit the models; MigrationError
 * when records stand against a migration, or an applied one was changed;
 * StorageUnavailableError when the database cannot be opened
 * @example
 * const storage = await openStorage({ url: 'sqlite:./app.db', accessors: [users] })
 */
export async function openStorage<const Accessors extends readonly AnyAccessor[]>(
  options: StorageOptions<Accessors>,
): Promise<Storage<TablesOf<Accessors[number]['model']>>> {
  const resolved = resolveOptions(options, (value): value is ModelAccessor<AnyModel> => value instanceof ModelAccessor)
  const models = resolved.accessors.map((accessor) => accessor.model)
  checkReferences(models)
  const engine = await openEngine(resolved.url, resolved)
  try {
    const migrations = resolved.migrations === undefined ? undefined : await loadMigrations(resolved.migrations)
    await prepareSchema(engine, models, { ...resolved, migrations })
    const storage = new OpenStorage(engine, resolved, migrations)
    await storage.erasuresAgain.whereHistoryIsBack()
    return storage
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** Backups that are listed: nobody reads more. */
const listedBackups = 1_000

class OpenStorage implements Storage {
  readonly accessors: readonly ModelAccessor<AnyModel>[]
  readonly audit: AuditEvidence
  readonly feed: ChangeFeed
  readonly kysely: Kysely<AnyDatabase>
  readonly jobs: Jobs
  readonly erasuresAgain: ErasuresAgain
  readonly counters: SharedCounters
  readonly #engine: Engine
  readonly #units: Units
  readonly #log: OpenLog
  readonly #transfers = new Transfers()
  readonly #bound: readonly BoundAccessor[]
  readonly #reverting: Omit<RevertSource, 'accessors'>
  readonly #diagrams: Diagrams
  readonly #backupSource: BackupSource
  readonly #backupLog: BackupLog
  readonly #restores: Restores
  readonly #health: Health
  readonly #schedule: BackupSchedule | undefined
  readonly #retention: Retention | undefined

  constructor(engine: Engine, options: ResolvedOptions, migrations: readonly Migration[] | undefined) {
    this.#engine = engine
    this.accessors = options.accessors
    const models = options.accessors.map(({ model }) => model)
    const watched = new Set([...models, ...systemModels].map(({ name }) => name.toLowerCase()))
    this.#diagrams = new Diagrams(options.accessors)
    const logger = options.logger ?? consoleLogger
    this.#units = new Units({
      engine,
      logger,
      timeLimit: options.transactionTimeLimit,
      readTimeLimit: options.readTimeLimit,
      home: {
        kyselyFor: (session) => sessionHandle(handles, session),
        observer: options.observer,
        committed: () => this.#log.committed?.(),
      },
    })
    const handles = { engine, units: this.#units, watched }
    this.counters = new SharedCounters(new BoundTable(Counters, engine), this.#units)
    this.#log = openLog(engine, { logger, isInside: () => this.#units.isInside() })
    const { log, head, order, writer } = this.#log
    const modelsByComponent = new Map(options.accessors.map((accessor) => [accessor.component, accessor.model]))
    const tables = { log, head }
    const limits: AuditParts['limits'] = (component, caller) => limitsIn(this.#bound, component, caller)
    this.audit = new AuditEvidence(
      { tables, order, units: this.#units, modelOf: (component) => modelsByComponent.get(component), limits },
      { transfers: this.#transfers, allPlaced: engine.capabilities.serialWrites, logger, checkpoints: options.auditCheckpoints },
    )
    log.readable = (caller) => readableEntries(this.#bound, caller)
    const arrivals = new Arrivals(order, engine.signals)
    this.feed = new ChangeFeed({ log, head, units: this.#units, arrivals, components: () => this.#bound })
    this.kysely = outerHandle(handles)
    this.#backupSource = { engine, models: [...systemModels, ...models], transfers: this.#transfers }
    const checks = { modules: options.restoreModules, verify: (staged: Engine) => verifyUnwritten(staged, this.#transfers) }
    this.#restores = new Restores({ engine, models, transfers: this.#transfers, migrations, ...checks })
    this.#backupLog = new BackupLog(new BoundTable(BackupRecords, engine), this.#units)
    this.jobs = new Jobs({ table: new BoundTable(JobRecords, engine), units: this.#units, logger, observer: options.observer })
    this.#health = new Health({ engine, models, log, head, backups: this.#backupLog, migrations })
    const erasures = new BoundTable(Erasures, engine)
    this.erasuresAgain = new ErasuresAgain({ log, erasures, units: this.#units, logger, components: () => this.#bound })
    const once = new Once(new BoundTable(KeptAnswers, engine), this.#units)
    this.#reverting = { log, head, units: this.#units, once, jobs: this.jobs }
    const parts = {
      engine,
      units: this.#units,
      audit: writer,
      moments: new Moments({ log, head, order }, () => this.#units.isInside()),
      feed: this.feed,
      ...{ erasures, once },
      access: options.access,
      maxRecords: options.maxRecordsPerModel,
    }
    this.#bound = bindAccessors(options.accessors, parts)
    const schedule = { source: this.#backupSource, log: this.#backupLog, logger }
    this.#schedule = options.backups && new BackupSchedule({ ...options.backups, ...schedule })
    this.#schedule?.start()
    this.#retention = options.retention && new Retention({ log, head, order, logger, jobs: this.jobs, plan: options.retention })
    this.#retention?.start()
    this.#log.start()
    this.audit[startCheckpoints]()
  }

  async retain(options?: RetentionCaller): ReturnType<Retention['run']> {
    requireWholeDatabase(this.#units, 'retention is about')
    if (!this.#retention) throw noRetention()
    return this.#retention.run(options)
  }

  changes(options?: FollowOptions): AsyncGenerator<ChangeEvent, void, undefined> {
    return this.feed.follow(options)
  }

  async transaction<T>(work: (session: Session) => T | Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { unaudited = false, ...write } = options
    const units = this.#units
    const audit = this.#log.writer
    return units.run({ write, alone: true, ...(unaudited && { unaudited }) }, function* (session) {
      if (unaudited) yield* audit.recordUnaudited(session.connection, session.context)
      return yield* wait(units.inside(session, () => work(session)))
    })
  }

  actingAs<T>(caller: CallerOptions, work: () => T): T {
    return this.#units.actingAs(caller, work)
  }

  accessor<Model extends AnyModel>(model: Model): ModelAccessor<Model> {
    const accessor = this.accessors.find((candidate) => candidate.model === model)
    if (!accessor) throw new UsageError('invalid_options', `${model.name} has no accessor in this storage.`)
    // The accessor was found by this very model.
    return accessor as unknown as ModelAccessor<Model>
  }

  async explainAccess(question: AccessQuestion): Promise<AccessAnswer> {
    const bound = this.#bound.find(({ component }) => component === question.component)
    if (!bound) throw new UsageError('invalid_options', `There is no component "${question.component}" in this storage.`)
    return explainAccess(bound, question)
  }

  async erase({ component, id }: RecordName, options?: ConditionalWriteOptions): Promise<boolean> {
    const accessor = this.accessors.find((candidate) => candidate.component === component)
    if (!accessor) throw new UsageError('invalid_options', `There is no component "${component}" in this storage.`)
    return accessor.erase(id, options)
  }

  health(): Promise<StorageHealth> {
    return this.#health.examine()
  }

  ping(): Promise<void> {
    return this.#health.ping()
  }

  async backups(): Promise<KeptBackup[]> {
    requireWholeDatabase(this.#units, 'the list of backups is about')
    return (await this.#backupLog.newest(listedBackups)).map(keptBackup)
  }

  async export(target: string | Writable, options: ExportOptions = {}): Promise<ExportManifest> {
    const source = {
      engine: this.#engine,
      callerOf: (caller: ReadOptions) => this.#units.callerOf(caller),
      tablesFor: (caller: CallerContext) => readableTables(this.#bound, this.#log.log, caller),
      transfers: this.#transfers,
    }
    return exportTo(source, target, options)
  }

  import(source: ImportSource, options: ImportOptions = {}): Promise<ImportReport> {
    return importFrom(this.#importTarget(), source, options)
  }

  startImport(source: ImportSource | ImportReceiver, options: ImportJobOptions = {}): Promise<ImportJob> {
    return startImport(this.jobs, this.#importTarget(), source, options)
  }

  #importTarget(): ImportTarget {
    return { accessors: this.#bound, own: new Set(systemModels.map(({ name }) => name)), units: this.#units, transfers: this.#transfers }
  }

  count(name: string, options: CountOptions): Promise<Count> {
    return this.counters.add(name, options)
  }

  watch(accessors: Parameters<ChangeWatch['watch']>[0]): () => number | undefined {
    return watchModels(this.#engine, accessors)
  }

  async backup(target: string | Writable, options: BackupOptions = {}): Promise<BackupReport> {
    requireWholeDatabase(this.#units, 'a backup holds')
    return backupTo(this.#backupSource, target, options)
  }

  async diagram(options: DiagramOptions = {}): Promise<string> {
    requireWholeDatabase(this.#units, 'a diagram shows')
    return this.#diagrams.diagram(options)
  }

  async restore(source: string | Readable, options?: RestoreOptions): Promise<RestoreReport> {
    requireRestorable(this.#units, 'restore')
    return this.erasuresAgain.after(await this.#restores.restore(source, options))
  }

  async undoRestore(options?: RestoreOptions): Promise<RestoreReport> {
    requireRestorable(this.#units, 'undoRestore')
    return this.erasuresAgain.after(await this.#restores.undo(options))
  }

  revert(...[selection, options = {}]: Parameters<Storage['revert']>): ReturnType<Storage['revert']> {
    return revertSelected({ ...this.#reverting, accessors: this.#bound }, selection, options)
  }

  async close(): Promise<void> {
    if (this.#units.isInside()) {
      throw new UsageError('outer_handle', 'storage.close() was called inside a transaction or hook, for which it would have to wait.')
    }
    await this.feed.close()
    await this.jobs.close()
    this.#log.endSoon()
    await Promise.all([this.#schedule?.close(), this.#retention?.close()])
    await this.audit[endCheckpoints]()
    await this.#transfers.close()
    await this.#log.close()
    await this.#engine.close()
    for (const accessor of this.accessors) accessor[bindAccessor](undefined)
  }
}
