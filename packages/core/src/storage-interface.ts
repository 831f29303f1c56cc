import type { Readable, Writable } from 'node:stream'
import type { Kysely } from 'kysely'
import type { ModelAccessor } from './accessor/accessor.ts'
import type { ChangeWatch } from './accessor/change-watch.ts'
import type { AccessAnswer, AccessQuestion } from './accessor/explain-access.ts'
import type { ConditionalWriteOptions } from './accessor/match.ts'
import type { ChangeEvent, ChangeSource, FollowOptions } from './audit/change-events.ts'
import type { Count, CountOptions, SharedCounters } from './counters/shared-counters.ts'
import type { AuditEvidence } from './evidence/audit-evidence.ts'
import type { StorageHealth } from './health/health.ts'
import type { ImportJob } from './jobs/job.ts'
import type { StorageJobs } from './jobs/jobs.ts'
import type { ImportJobOptions, ImportReceiver } from './jobs/start-import.ts'
import type { AnyModel } from './model/model.ts'
import type { RetentionReport } from './retention/report.ts'
import type { RetentionCaller } from './retention/retention.ts'
import type { RevertReport } from './revert/report.ts'
import type { RevertChangesOptions, RevertSelection } from './revert/selection.ts'
import type { DiagramOptions } from './schema/diagram/diagram.ts'
import type { CallerOptions, WriteOptions } from './session/options.ts'
import type { SessionOf, UnknownTables } from './session/tables.ts'
import type { BackupOptions, BackupReport } from './transfer/backup/backup.ts'
import type { ExportOptions } from './transfer/export/export.ts'
import type { ExportManifest } from './transfer/export/manifest.ts'
import type { ImportSource } from './transfer/import/files-of.ts'
import type { ImportOptions } from './transfer/import/import.ts'
import type { ImportReport } from './transfer/import/report.ts'
import type { RestoreReport } from './transfer/restore/report.ts'
import type { RestoreOptions } from './transfer/restore/restore.ts'
import type { KeptBackup } from './transfer/schedule/kept-backup.ts'

/** What a transaction may say about itself. */
export interface TransactionOptions extends WriteOptions {
  /** Lets `session.kysely` write to tables of models and raw SQL write anywhere; leaves an audit entry that says so. */
  readonly unaudited?: boolean
}

/** Names a record. */
export interface RecordName {
  readonly component: string
  readonly id: number | string
}

/** An open database with its accessors. */
export interface Storage<Database = UnknownTables> extends ChangeWatch {
  readonly accessors: readonly ModelAccessor<AnyModel>[]
  /** Reads the audit log, and proves that it is whole. */
  readonly audit: AuditEvidence
  /**
   * Follows every committed change in the one order of history, each once, for ever: `after` the id of the last one that was seen, or
   * from now on. Ends when the signal comes.
   * @throws as `feed.page` does; StorageUnavailableError `storage_closed` when the storage is closed; UsageError `outer_handle` in a transaction
   * @example
   * for await (const change of storage.changes({ after: bookmark, component: 'users' })) {
   *   if (change.type === 'change') await index(change.entry.record_id, change.entry.after)
   *   bookmark = change.id
   * }
   */
  changes(options?: FollowOptions): AsyncGenerator<ChangeEvent, void, undefined>
  /** The same step by step, for whoever passes changes on: the next ones after a place, and waiting for them. */
  readonly feed: Pick<ChangeSource, 'page' | 'wait'>
  /**
   * Kysely outside any transaction, for questions that accessors have no word for and for tables of your own.
   * Inside a transaction it throws `outer_handle`: use `session.kysely` there.
   */
  readonly kysely: Kysely<Database>
  /**
   * Runs a unit of work: all of it is committed, or none. Accessors that are called inside join it; a transaction inside it is a savepoint.
   * The callback may run again from its start when the database asks for it (a deadlock on PostgreSQL).
   * @throws TransactionTimeoutError when it takes longer than `transactionTimeLimit`
   * @example
   * await storage.transaction(async (session) => {
   *   const user = await users.insert({ name: 'Alice', email: 'a@example.com' })
   *   await posts.insert({ title: 'Hello', author_id: user.id })
   * }, { actor: 'admin' })
   */
  transaction<T>(work: (session: SessionOf<Database>) => T | Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Runs code on behalf of a caller: what it reads and writes, and what it starts, has this principal, actor and request id where it says
   * nothing else. A server runs its handlers so.
   * @example app.get('/mine', (request) => storage.actingAs({ principal: request.user }, () => tasks.find()))
   */
  actingAs<T>(caller: CallerOptions, work: () => T): T
  /** The accessor of a model in this storage. Throws UsageError when it has none. */
  accessor<Model extends AnyModel>(model: Model): ModelAccessor<Model>
  /**
   * Tells whether the rules let a principal do something, which rule decided, and why. Nothing is written.
   * @throws UsageError for a component that there is not
   * @example
   * const { allowed, rule } = await storage.explainAccess({ component: 'tasks', operation: 'update', principal, id: 7 })
   */
  explainAccess(question: AccessQuestion): Promise<AccessAnswer>
  /**
   * Erases a record and what its history has of it, as `erase` of its accessor does.
   * @throws UsageError `invalid_options` for a component that there is not; else as `purge` of its accessor
   * @example await storage.erase({ component: 'users', id: 7 }, { actor: 'data protection' })
   */
  erase(record: RecordName, options?: ConditionalWriteOptions): Promise<boolean>
  /**
   * Asks the database how it is: its sizes, its schema, its last backup, who waits for it, where its log stands. No table is read from end to end.
   * @throws StorageUnavailableError when it does not answer within 2 seconds
   */
  health(): Promise<StorageHealth>
  /**
   * Removes the beginning of the audit log that the option `retention` does not keep, as the storage does by itself every hour. The rest verifies
   * as before. It is a job, of `storage.jobs` and `/db/jobs`, whose end is waited for; a look by the clock is one when it has something to remove. Answers
   * how many entries went, and from where each component is kept.
   * @throws UsageError `invalid_options` without the option; StorageUnavailableError where what would go does not verify
   * @example await storage.retain()
   */
  retain(options?: RetentionCaller): Promise<RetentionReport>
  /** Reads a row. Throws StorageUnavailableError when the database does not answer within 2 seconds. */
  ping(): Promise<void>
  /** The scheduled backups (option `backups`), newest first, failed ones among them; the newest 1000. */
  backups(): Promise<KeptBackup[]>
  /**
   * Writes every table as a CSV file (RFC 4180) into a zip, from one snapshot, in constant memory and away from the event loop. An unquoted
   * empty cell is null, `""` the empty text. The last file, `manifest.json`, has rows, columns and a SHA-256 of each.
   * @param target a file, which is there as a whole or not at all, or a stream
   * @throws InvalidQueryError for a table that there is not; StorageUnavailableError when the database or the file cannot be used;
   * UsageError `invalid_options` for options that there are not, and for a target that is a folder or belongs to the open database
   * @example await storage.export('./export.zip', { tables: ['users'] })
   */
  export(target: string | Writable, options?: ExportOptions): Promise<ExportManifest>
  /**
   * Reads a zip of CSV files, such as `export` makes, or CSV files by the name of their table or component, checks each row by its model,
   * and then writes all of them in one unit, or none: with hooks, and an audit entry for each record. Ids, stamps and marks of deletion
   * come with the rows. While the rows are written other writers wait, and readers go on. Rows that are wrong are in the report.
   * @param source paths, or streams
   * @throws ValidationError for an archive that cannot be used, `payload_too_large` for one that holds too much; InvalidQueryError for a
   * table that there is not; ConflictError `record_limit` when a model would be too full; UsageError inside a transaction or hook
   * @example
   * const report = await storage.import('./export.zip', { dryRun: true })
   * await storage.import({ users: './users.csv' }, { mode: 'upsert', actor: 'admin' })
   */
  import(source: ImportSource, options?: ImportOptions): Promise<ImportReport>
  /**
   * Does the same as a job, which goes on by itself: `jobs` tells how far it is, waits for its end, and cancels it. Rows that are wrong make
   * it `failed`, with the report as its `result`.
   * @param source paths, or streams, which must stay there until its end; or a function that puts files into a private folder, which is
   * gone afterwards, and answers what `import` takes
   * @returns the job, which has just begun
   * @throws StorageBusyError when 16 jobs run in this process; UsageError inside a transaction or hook
   * @example
   * const { id } = await storage.startImport('./export.zip', { mode: 'upsert', actor: 'admin' })
   * const { state, result } = await storage.jobs.wait(id)
   */
  startImport(source: ImportSource | ImportReceiver, options?: ImportJobOptions): Promise<ImportJob>
  /** Long work that goes on by itself, in any process that has the database open. */
  readonly jobs: StorageJobs
  /**
   * Adds to a counter that all processes on this database share, and answers its total. It begins anew when its period is over; nothing is audited.
   * @param name what is counted
   * @throws UsageError `invalid_options` for a name, period or amount that is none; StorageBusyError, StorageUnavailableError as any write
   * @example
   * const { total, endsAt } = await storage.count(`login:${email}`, { period: 60_000 })
   */
  count(name: string, options: CountOptions): Promise<Count>
  /** Reads counters without counting, and lets one begin anew with the next count. */
  readonly counters: Pick<SharedCounters, 'read' | 'reset'>
  /**
   * Writes all that the database holds at one moment into a SQLite file, beside readers and writers: it holds every write that was
   * acknowledged before, and passed SQLite's integrity and foreign key checks. From PostgreSQL it has the tables of the models and the
   * library's own, in the same form. `openStorage` with the same models opens it.
   * @param target a file, which is there as a whole or not at all, or a stream
   * @throws StorageUnavailableError when the database or the file cannot be used;
   * UsageError `invalid_options` for options that there are not, and for a target that is a folder or belongs to the open database
   * @example await storage.backup('./backup.sqlite')
   */
  backup(target: string | Writable, options?: BackupOptions): Promise<BackupReport>
  /**
   * Draws the tables of the models with their fields, keys and references: an SVG, light or dark as its viewer is, or its source in DOT.
   * It is drawn once, in a thread of its own, and asks nothing of the database. Values are not in it, names and types of secrets are.
   * @throws UsageError `invalid_options` for options that there are not
   * @example await writeFile('./diagram.svg', await storage.diagram())
   */
  diagram(options?: DiagramOptions): Promise<string>
  /**
   * Puts a backup in the place of what the database holds, under readers, who go on with what they see, and writers, who wait or get
   * `storage_busy`. What is replaced stays as a safety copy beside the database; an audit entry in a new epoch says what was done.
   * @param source a file, or its bytes
   * @throws ValidationError for what is no whole database, or defines what nobody knows; ConflictError for one of another application or
   * with tables that do not fit the models, and while another restore runs; StorageUnavailableError when the disk is full
   * @example
   * const report = await storage.restore('./backup.sqlite', { dryRun: true })
   * console.log(report.tables, report.since)
   */
  restore(source: string | Readable, options?: RestoreOptions): Promise<RestoreReport>
  /** Brings back what the last restore replaced. Throws ConflictError `state_conflict` where no safety copy is left. */
  undoRestore(options?: RestoreOptions): Promise<RestoreReport>
  /**
   * Undoes what one request, one unit of work (a batch, an import), or one actor since an instant did: what was made goes, what was changed
   * or removed is again what it was, all in one unit. References and unique fields decide on the order. It is a write like any other, under a
   * `requestId` that is in the report: a revert of that one undoes it. Records that somebody else has changed later, or that hang on others
   * which stay, are conflicts: then nothing is written, or with `conflicts: 'skip'` everything else.
   * @throws InvalidQueryError for a selection that says nothing; NotFoundError where the log has nothing of it; ConflictError
   * `too_many_matches` for more than `atMost` records; whatever hooks and rules of the records throw
   * @example
   * const report = await storage.revert({ actor: 'mallory', since: new Date('2026-11-23T12:00:00Z') }, { actor: 'admin', dryRun: true })
   * console.log(report.components, report.conflicts)
   */
  revert(selection: RevertSelection, options?: RevertChangesOptions): Promise<RevertReport>
  /**
   * Finishes what is running, refuses what is new with `storage_closed`, and lets go of database and accessors. Streams that are still
   * open end with `storage_closed`; what an afterCommit hook starts from then on is refused too. Imports, exports, backups and jobs are ended,
   * and change nothing. On PostgreSQL it seals audit entries for 5 seconds at most: those of a large import are left for whoever has the
   * database open, or opens it next. On SQLite it brings what the write-ahead log has gathered into the file: a few seconds after a large import.
   * @throws UsageError `outer_handle` inside a transaction or hook, which it would wait for
   */
  close(): Promise<void>
}
