import type { Writable } from 'node:stream'
import type { Access } from './access/define-access.ts'
import { ModelAccessor } from './accessor/accessor.ts'
import { bindAccessors } from './accessor/bind-accessors.ts'
import type { BoundAccessor } from './accessor/bound-accessor.ts'
import { type AccessAnswer, type AccessQuestion, explainAccess } from './accessor/explain-access.ts'
import { checkReferences } from './accessor/references.ts'
import { refuseRepeats } from './accessor/refuse-repeats.ts'
import { AuditHead, AuditLog } from './audit/audit-log.ts'
import { Erasures } from './audit/erasures.ts'
import { openLog } from './audit/log.ts'
import { Moments } from './audit/moments.ts'
import { Arrivals } from './changes/arrivals.ts'
import { ChangeFeed } from './changes/change-feed.ts'
import type { Engine, TableShape } from './engine/engine.ts'
import { openEngineToRead } from './engine/open-engine.ts'
import { SchemaMismatchError, UsageError } from './errors.ts'
import { AuditEvidence } from './evidence/audit-evidence.ts'
import { Health } from './health/health.ts'
import { KeptAnswers } from './idempotency/kept-answers.ts'
import { Once } from './idempotency/once.ts'
import { consoleLogger } from './logger.ts'
import type { AnyModel } from './model/model.ts'
import { type AnyAccessor, readAccess } from './options.ts'
import { BoundTable } from './query/bound-table.ts'
import { BackupRecords } from './schema/backup-records.ts'
import { Diagrams } from './schema/diagram/diagram.ts'
import { unreadable } from './schema/diff/schema-diff.ts'
import { systemModels } from './schema/system-tables.ts'
import type { CallerContext } from './session/context.ts'
import { callerContext, type ReadOptions } from './session/options.ts'
import { Units } from './session/units.ts'
import type { Storage } from './storage.ts'
import { type BackupOptions, type BackupReport, backupTo } from './transfer/backup/backup.ts'
import { type ExportOptions, exportTo, type ReadableTable } from './transfer/export/export.ts'
import type { ExportManifest } from './transfer/export/manifest.ts'
import { BackupLog } from './transfer/schedule/backup-log.ts'
import { Transfers } from './transfer/transfers.ts'

/** Which database is looked at. */
export interface ViewOptions {
  /** As `openStorage` takes it. */
  readonly url: string
  /** The models, where they are known; the audit log, the health, and a backup of SQLite need none. */
  readonly accessors?: readonly AnyAccessor[] | undefined
  /** The rules, where somebody wants to know what they say of a caller; reading by the view itself is held to none. */
  readonly access?: readonly Access[] | undefined
}

/** A database that is read only: what there is to ask of it without its program. */
export interface DatabaseView extends Pick<Storage, 'audit' | 'health' | 'diagram' | 'close'> {
  /** As `storage.export`. Throws SchemaMismatchError when the tables do not fit the models. */
  export(target: string | Writable, options?: ExportOptions): Promise<ExportManifest>
  /** As `storage.backup`. Throws UsageError where the models are needed and not known: where the database is not one file. */
  backup(target: string | Writable, options?: BackupOptions): Promise<BackupReport>
  /** As `storage.explainAccess`. Throws UsageError where the rules are not known; SchemaMismatchError when the tables do not fit the models. */
  explainAccess(question: AccessQuestion): Promise<AccessAnswer>
}

/**
 * Opens a database to look at: a backup, or a live one. Nothing is written: a file of SQLite, and what stands beside it, stays as it is
 * to the byte. In a view without accessors an entry's `record_id` is a number where its component has the name of its table.
 *
 * @throws UsageError `invalid_options` for a URL that is of no engine, and a file that there is not; SchemaMismatchError for a database
 * without an audit log of this library; ValidationError for a file that is no database; StorageUnavailableError when it cannot be opened
 * @example
 * const view = await viewDatabase({ url: 'sqlite:./backup.sqlite' })
 * const entries = await view.audit.find({ actor: 'admin', limit: 20 })
 * await view.close()
 */
export async function viewDatabase({ url, accessors, access, ...rest }: ViewOptions): Promise<DatabaseView> {
  const [stranger] = Object.keys(rest)
  if (stranger !== undefined)
    throw new UsageError('invalid_options', `"${stranger}" is no option of viewDatabase. There are url, accessors, access.`)
  if (accessors) refuseRepeats(accessors)
  const rules = readAccess({ ...(access && { access }) }, accessors ?? [])
  const engine = await openEngineToRead(url)
  try {
    const live = await assertFits(engine, [AuditLog])
    const policies = await engine.read((connection) => engine.tenantPolicies(connection))
    if (policies.size > 0) engine.holdTenants(policies.keys())
    return new OpenView(engine, { accessors, access: rules, idTypesOf: idTypes(engine, live, accessors ?? []) })
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** Answers the tables that there are. */
async function assertFits(engine: Engine, models: readonly AnyModel[]): Promise<readonly TableShape[]> {
  const live = await engine.read((connection) => engine.inspect(connection))
  const differences = models.flatMap((model) =>
    unreadable(
      model,
      live.find(({ name }) => name === model.name),
      engine,
    ),
  )
  if (differences.length > 0) throw new SchemaMismatchError(differences)
  return live
}

type IdTypes = ReadonlyMap<string, Pick<AnyModel, 'idType'>>

/** The kinds of ids by component; where no model tells, by table. */
function idTypes(engine: Engine, live: readonly TableShape[], accessors: readonly AnyAccessor[]): IdTypes {
  const counted = engine.columnType(AuditLog.id)
  const tables = live.flatMap(({ name, columns, primaryKey: [key, ...others] }) => {
    const type = others.length === 0 && columns.find((column) => column.name === key)?.type
    return type === counted ? [[name, { idType: 'integer' }] as const] : []
  })
  return new Map<string, Pick<AnyModel, 'idType'>>([...tables, ...accessors.map(({ component, model }) => [component, model] as const)])
}

/** Milliseconds for a read: whoever looks on has nobody waiting behind them. */
const readTimeLimit = 60_000

/** A view knows no rules: whoever has it may see everything. */
function nobody(options: ReadOptions): CallerContext {
  if (Object.keys(options).length > 0)
    throw new UsageError('invalid_options', 'A view knows no rules of access, so it exports for nobody in particular.')
  return callerContext({})
}

/** What a view knows of what it looks at. */
interface Known {
  readonly accessors: readonly AnyAccessor[] | undefined
  readonly access: readonly Access[] | undefined
  readonly idTypesOf: IdTypes
}

class OpenView implements DatabaseView {
  readonly audit: AuditEvidence
  readonly #engine: Engine
  readonly #accessors: readonly AnyAccessor[] | undefined
  readonly #health: Health
  /** The accessors under their rules, where there are any. */
  readonly #bound: readonly BoundAccessor[] | undefined
  readonly #transfers = new Transfers()

  constructor(engine: Engine, { accessors, access, idTypesOf }: Known) {
    this.#engine = engine
    this.#accessors = accessors
    const home = { kyselyFor: () => engine.builder }
    const units = new Units({ engine, home, logger: consoleLogger, timeLimit: readTimeLimit, readTimeLimit })
    // It is not started: nothing is sealed by looking on.
    const { log, head, order, writer } = openLog(engine, { logger: consoleLogger, isInside: () => true })
    const parts = { tables: { log, head }, order, units, modelOf: (component: string) => idTypesOf.get(component) }
    // A backup of a database where entries are sealed later has some that wait for it.
    this.audit = new AuditEvidence(parts, { transfers: this.#transfers, allPlaced: false, logger: consoleLogger })
    const backups = new BackupLog(new BoundTable(BackupRecords, engine), units)
    this.#health = new Health({ engine, models: this.#models, log, head, backups })
    if (!access) return
    checkReferences(this.#models)
    // Those of the caller may be open elsewhere, and an accessor is open once.
    const twins = (accessors ?? []).map(({ model, component }) => new ModelAccessor(model, component))
    const once = new Once(new BoundTable(KeptAnswers, engine), units)
    this.#bound = bindAccessors(twins, {
      engine,
      units,
      audit: writer,
      moments: new Moments({ log, head, order }, () => units.isInside()),
      feed: new ChangeFeed({ log, head, units, arrivals: new Arrivals(order, undefined), components: () => this.#bound ?? [] }),
      erasures: new BoundTable(Erasures, engine),
      once,
      access,
      maxRecords: undefined,
    })
  }

  get #models(): readonly AnyModel[] {
    return (this.#accessors ?? []).map(({ model }) => model)
  }

  async health(): ReturnType<Storage['health']> {
    // What else is missing is what the health tells.
    await assertFits(this.#engine, [AuditHead, BackupRecords])
    return this.#health.examine()
  }

  diagram: Storage['diagram'] = (options = {}) => new Diagrams(this.#accessors ?? []).diagram(options)

  async export(target: string | Writable, options: ExportOptions = {}): Promise<ExportManifest> {
    await assertFits(this.#engine, this.#models)
    const source = {
      engine: this.#engine,
      untouched: true,
      callerOf: nobody,
      tablesFor: () => this.#wholeTables(),
      transfers: this.#transfers,
    }
    return exportTo(source, target, options)
  }

  #wholeTables(): ReadableTable[] {
    const whole = (model: AnyModel, component: string | null): ReadableTable => {
      return { table: new BoundTable(model, this.#engine), component, hidden: new Set(), closed: false }
    }
    return [...(this.#accessors ?? []).map(({ model, component }) => whole(model, component)), whole(AuditLog, null)]
  }

  async backup(target: string | Writable, options: BackupOptions = {}): Promise<BackupReport> {
    const models = [...systemModels, ...this.#models]
    if (!this.#engine.capabilities.oneFile) {
      if (!this.#accessors)
        throw new UsageError('invalid_options', 'A backup of this database is gathered table by table: say its accessors.')
      await assertFits(this.#engine, models)
    }
    return backupTo({ engine: this.#engine, models, transfers: this.#transfers }, target, options)
  }

  async explainAccess(question: AccessQuestion): Promise<AccessAnswer> {
    if (!this.#bound)
      throw new UsageError(
        'invalid_options',
        'Who may do what is told where the rules are known: viewDatabase({ url, accessors, access }).',
      )
    const bound = this.#bound.find(({ component }) => component === question.component)
    if (!bound) throw new UsageError('invalid_options', `There is no component "${question.component}" in this view.`)
    await assertFits(this.#engine, this.#models)
    return explainAccess(bound, question)
  }

  async close(): Promise<void> {
    await this.#transfers.close()
    await this.#engine.close()
  }
}
