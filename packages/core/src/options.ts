import type { Access } from './access/define-access.ts'
import type { ModelAccessor } from './accessor/accessor.ts'
import { refuseRepeats } from './accessor/refuse-repeats.ts'
import type { PostgresSettings, SqliteSettings } from './engine/settings.ts'
import type { StatementListener } from './engine/statement-listener.ts'
import { UsageError } from './errors.ts'
import { type CheckpointOptions, type ReadCheckpointOptions, readCheckpointOptions } from './evidence/read-checkpoint-options.ts'
import type { Logger } from './logger.ts'
import type { AnyModel } from './model/model.ts'
import { type RetentionOptions, type RetentionPlan, readRetention } from './retention/read-retention.ts'
import type { MigrationSource } from './schema/migrate/migration.ts'
import type { StorageObserver } from './session/observer.ts'
import { planRules } from './transfer/restore/plan-rules.ts'
import type { RestoreModule } from './transfer/restore/restore-modules.ts'
import type { SchedulePlan } from './transfer/schedule/backup-schedule.ts'
import { type BackupScheduleOptions, readPlan } from './transfer/schedule/read-plan.ts'

/** Any accessor, whatever its model. */
export type AnyAccessor = Pick<ModelAccessor<AnyModel>, 'component' | 'model'>

/** How a storage is opened. */
export interface StorageOptions<Accessors extends readonly AnyAccessor[] = readonly AnyAccessor[]> {
  /** `sqlite:./app.db`, `sqlite::memory:`, `postgres://user:password@host/database`. */
  readonly url: string
  /** The accessors of the models that live in this storage; each in one open storage only. */
  readonly accessors: Accessors
  /**
   * Who may do what, for callers with a `principal`: made by `defineAccess`, one for each model. Where it is given, even as `[]`, what no
   * rule allows is denied to them; where it is left out, every principal may do everything.
   */
  readonly access?: readonly Access[]
  /** What a restore must look at, carry over and end in the tables of models: for what must not come back with an old file. */
  readonly restoreModules?: readonly RestoreModule[]
  /**
   * Makes the tables and indexes that are missing, changes tables where nothing can be lost or refused by it, and applies pending
   * `migrations`; true unless said otherwise. What differs beyond that stops the start with `schema_mismatch`.
   */
  readonly createTables?: boolean
  /** A folder of migrations, or a list: what is pending is applied at the start. Without `createTables` it stops the start instead. */
  readonly migrations?: MigrationSource
  /** The most live records of each model; no limit unless said. */
  readonly maxRecordsPerModel?: number
  /** Milliseconds that a transaction may take before it is rolled back; 5000 unless said. */
  readonly transactionTimeLimit?: number
  /** Milliseconds that the database may spend on one read before it is stopped with `query_timeout`; 5000 unless said. Streams have no limit. */
  readonly readTimeLimit?: number
  /** Where failures of afterCommit hooks are reported; the console unless said. */
  readonly logger?: Logger
  /** Backups that are made by themselves: `{ every: '1h', keep: 24, target: './backups' }`; none unless said. */
  readonly backups?: BackupScheduleOptions
  /** Signs checkpoints of the audit log, and writes them to a file: `{ key, file: '/mnt/audit/checkpoints.jsonl', every: '1h' }`; none unless said. */
  readonly auditCheckpoints?: CheckpointOptions
  /** Removes the beginning of the audit log when nobody wants to keep it any more: `{ keep: { users: { for: '365d' } } }`; all is kept unless said. */
  readonly retention?: RetentionOptions
  /** Is told of each statement that the database ran: `({ sql, duration, failed, parameters }) => …`; nobody unless said, which costs nothing. */
  readonly onStatement?: StatementListener
  /** Is told of units of work, written records and jobs, for metrics and traces; nobody unless said, which costs nothing. */
  readonly observer?: StorageObserver | undefined
  /** Settings of the SQLite engine. */
  readonly sqlite?: SqliteSettings
  /** Settings of the PostgreSQL engine. */
  readonly postgres?: PostgresSettings
}

const known = new Set([
  'url',
  'accessors',
  'access',
  'restoreModules',
  'createTables',
  'migrations',
  'maxRecordsPerModel',
  'transactionTimeLimit',
  'readTimeLimit',
  'logger',
  'backups',
  'auditCheckpoints',
  'retention',
  'onStatement',
  'observer',
  'sqlite',
  'postgres',
])

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly url: string
  readonly accessors: readonly ModelAccessor<AnyModel>[]
  readonly access: readonly Access[] | undefined
  readonly restoreModules: readonly RestoreModule[]
  readonly createTables: boolean
  readonly migrations: MigrationSource | undefined
  readonly maxRecordsPerModel: number | undefined
  readonly transactionTimeLimit: number
  readonly readTimeLimit: number
  readonly logger: Logger | undefined
  readonly backups: SchedulePlan | undefined
  readonly auditCheckpoints: ReadCheckpointOptions | undefined
  readonly retention: RetentionPlan | undefined
  readonly onStatement: StatementListener | undefined
  readonly observer: StorageObserver | undefined
  readonly sqlite: SqliteSettings
  readonly postgres: PostgresSettings
}

/** Checks the options and fills in the defaults. Throws UsageError `invalid_options` with a sentence. */
export function resolveOptions(options: StorageOptions, isAccessor: (value: unknown) => value is ModelAccessor<AnyModel>): ResolvedOptions {
  for (const name of Object.keys(options))
    if (!known.has(name)) refuse(`"${name}" is no option of openStorage. There are ${[...known].join(', ')}.`)
  const { url, accessors, maxRecordsPerModel } = options
  if (typeof url !== 'string' || url === '') refuse('openStorage needs a url, e.g. "sqlite:./app.db".')
  if (!Array.isArray(accessors)) refuse('openStorage needs accessors, e.g. [new ModelAccessor(User, "users")].')
  const checked = accessors.map((accessor) => (isAccessor(accessor) ? accessor : refuse('Each of the accessors must be a ModelAccessor.')))
  const transactionTimeLimit = options.transactionTimeLimit ?? 5000
  positive('transactionTimeLimit', transactionTimeLimit)
  const readTimeLimit = options.readTimeLimit ?? 5000
  positive('readTimeLimit', readTimeLimit)
  if (maxRecordsPerModel !== undefined) positive('maxRecordsPerModel', maxRecordsPerModel)
  const { onStatement, observer } = options
  if (onStatement !== undefined && typeof onStatement !== 'function') refuse('onStatement is a function that is told of each statement.')
  if (observer !== undefined && (typeof observer !== 'object' || observer === null))
    refuse('observer is an object of functions that are told what happens.')
  refuseRepeats(checked)
  return {
    url,
    accessors: checked,
    restoreModules: checkModules(options.restoreModules ?? [], checked),
    access: readAccess(options, checked),
    createTables: options.createTables ?? true,
    migrations: options.migrations,
    maxRecordsPerModel,
    transactionTimeLimit,
    readTimeLimit,
    logger: options.logger,
    backups: options.backups === undefined ? undefined : readPlan(options.backups),
    auditCheckpoints: options.auditCheckpoints === undefined ? undefined : readCheckpointOptions(options.auditCheckpoints),
    retention: options.retention === undefined ? undefined : readRetention(options.retention),
    onStatement,
    observer,
    sqlite: options.sqlite ?? {},
    postgres: options.postgres ?? {},
  }
}

/** They are planned against the models now, so that a fault is told at the start and not on a bad day. */
function checkModules(modules: readonly RestoreModule[], accessors: readonly AnyAccessor[]): readonly RestoreModule[] {
  try {
    planRules(
      modules,
      accessors.map(({ model }) => model),
      new Date(),
    )
  } catch (error) {
    refuse(`restoreModules cannot be used. ${error instanceof Error ? error.message : ''}`)
  }
  return modules
}

/** Throws UsageError `invalid_options` for rules that are none, stand there twice, or have no accessor. */
export function readAccess({ access }: Pick<StorageOptions, 'access'>, accessors: readonly AnyAccessor[]): readonly Access[] | undefined {
  if (access === undefined) return undefined
  if (
    !Array.isArray(access) ||
    !access.every((rules) => typeof rules === 'object' && rules !== null && 'model' in rules && 'rules' in rules)
  )
    refuse('access is a list of what defineAccess made: access: [defineAccess(User, { read: true })].')
  access.forEach(({ model }, index) => {
    if (!accessors.some((accessor) => accessor.model === model)) refuse(`access has rules for "${model.name}", which has no accessor here.`)
    if (access.findIndex((other) => other.model === model) !== index) refuse(`access has rules for "${model.name}" twice.`)
  })
  return access
}

function positive(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) refuse(`${name} must be a whole number from 1 on.`)
}

function refuse(message: string): never {
  throw new UsageError('invalid_options', message)
}
