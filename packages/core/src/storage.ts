import type { Kysely } from 'kysely'
import { bindAccessor, ModelAccessor } from './accessor/accessor.ts'
import type { BoundAccessor, Link } from './accessor/bound-accessor.ts'
import { AuditAccessor } from './audit/audit-accessor.ts'
import { AuditLog } from './audit/audit-log.ts'
import { AuditWriter, auditSubject } from './audit/record-change.ts'
import type { AnyDatabase, Engine } from './engine/engine.ts'
import { openEngine } from './engine/open-engine.ts'
import { UsageError } from './errors.ts'
import { KeptAnswers } from './idempotency/kept-answers.ts'
import { Once } from './idempotency/once.ts'
import { consoleLogger } from './logger.ts'
import type { AnyModel } from './model/model.ts'
import { type AnyAccessor, type ResolvedOptions, resolveOptions, type StorageOptions } from './options.ts'
import { BoundTable } from './query/bound-table.ts'
import { prepareSchema } from './schema/prepare-schema.ts'
import { systemModels } from './schema/system-tables.ts'
import { kyselyHandle } from './session/kysely-handle.ts'
import type { WriteOptions } from './session/options.ts'
import type { Session } from './session/session.ts'
import type { SessionOf, TablesOf, UnknownTables } from './session/tables.ts'
import { wait } from './session/task.ts'
import { Units } from './session/units.ts'

/** What a transaction may say about itself. */
export interface TransactionOptions extends WriteOptions {
  /** Lets `session.kysely` write to tables of models and raw SQL write anywhere; leaves an audit entry that says so. */
  readonly unaudited?: boolean
}

/** What `health` found out by a real query. */
export interface StorageHealth {
  /** e.g. `SQLite 3.54.1`. */
  readonly engine: string
  /** Milliseconds that the query took. */
  readonly latency: number
}

/** An open database with its accessors. */
export interface Storage<Database = UnknownTables> {
  readonly accessors: readonly ModelAccessor<AnyModel>[]
  /** Reads the audit log. */
  readonly audit: AuditAccessor
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
  /** The accessor of a model in this storage. Throws UsageError when it has none. */
  accessor<Model extends AnyModel>(model: Model): ModelAccessor<Model>
  /** Asks the database something. */
  health(): Promise<StorageHealth>
  /**
   * Finishes what is running, refuses what is new with `storage_closed`, and lets go of database and accessors. Streams that are still
   * open end with `storage_closed`; what an afterCommit hook starts from then on is refused too.
   * @throws UsageError `outer_handle` inside a transaction or hook, which it would wait for
   */
  close(): Promise<void>
}

/**
 * Opens a database, makes missing tables, and binds the accessors to it.
 *
 * @throws UsageError `invalid_options` for options that cannot work; SchemaMismatchError when tables do not fit the models;
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
    await prepareSchema(engine, models, resolved)
    return new OpenStorage(engine, resolved)
  } catch (error) {
    await engine.close()
    throw error
  }
}

function checkReferences(models: readonly AnyModel[]): void {
  for (const model of models) {
    for (const field of model.fields) {
      const target = field.reference?.model()
      if (!target || models.includes(target)) continue
      throw new UsageError(
        'invalid_options',
        `${model.name}.${field.name} points to ${target.name}, which has no accessor in this storage.`,
      )
    }
  }
}

class OpenStorage implements Storage {
  readonly accessors: readonly ModelAccessor<AnyModel>[]
  readonly audit: AuditAccessor
  readonly kysely: Kysely<AnyDatabase>
  readonly #engine: Engine
  readonly #units: Units
  readonly #auditWriter: AuditWriter
  readonly #watched: ReadonlySet<string>

  constructor(engine: Engine, options: ResolvedOptions) {
    this.#engine = engine
    this.accessors = options.accessors
    this.#watched = new Set(
      [...options.accessors.map((accessor) => accessor.model), ...systemModels].map((model) => model.name.toLowerCase()),
    )
    const logger = options.logger ?? consoleLogger
    this.#units = new Units({
      engine,
      logger,
      timeLimit: options.transactionTimeLimit,
      home: { kyselyFor: (session) => this.#sessionHandle(session) },
    })
    const log = new BoundTable(AuditLog, engine)
    this.#auditWriter = new AuditWriter(log)
    const modelsByComponent = new Map(options.accessors.map((accessor) => [accessor.component, accessor.model]))
    this.audit = new AuditAccessor(log, this.#units, (component) => modelsByComponent.get(component))
    this.kysely = this.#outerHandle()
    this.#bindAll(options)
  }

  async transaction<T>(work: (session: Session) => T | Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { unaudited = false, ...write } = options
    const units = this.#units
    const audit = this.#auditWriter
    return units.run({ write, alone: true, ...(unaudited && { unaudited }) }, function* (session) {
      if (unaudited) yield* audit.recordUnaudited(session.connection, session.context)
      return yield* wait(units.inside(session, () => work(session)))
    })
  }

  accessor<Model extends AnyModel>(model: Model): ModelAccessor<Model> {
    const accessor = this.accessors.find((candidate) => candidate.model === model)
    if (!accessor) throw new UsageError('invalid_options', `${model.name} has no accessor in this storage.`)
    // The accessor was found by this very model.
    return accessor as unknown as ModelAccessor<Model>
  }

  async health(): Promise<StorageHealth> {
    const start = performance.now()
    const { version } = await this.#engine.health()
    return { engine: version, latency: performance.now() - start }
  }

  async close(): Promise<void> {
    if (this.#units.isInside()) {
      throw new UsageError('outer_handle', 'storage.close() was called inside a transaction or hook, for which it would have to wait.')
    }
    await this.#engine.close()
    for (const accessor of this.accessors) accessor[bindAccessor](undefined)
  }

  #bindAll(options: ResolvedOptions): void {
    const bound = new Map<AnyModel, BoundAccessor & { references: Link[]; referrers: Link[] }>()
    const once = new Once(new BoundTable(KeptAnswers, this.#engine), this.#units)
    const done: ModelAccessor<AnyModel>[] = []
    try {
      for (const accessor of options.accessors) {
        accessor[bindAccessor]((hooks) => {
          const table = new BoundTable(accessor.model, this.#engine)
          const insides = {
            model: accessor.model,
            component: accessor.component,
            hooks,
            table,
            units: this.#units,
            audit: this.#auditWriter,
            once,
            subject: auditSubject(accessor.component, table),
            maxRecords: options.maxRecordsPerModel,
            references: [],
            referrers: [],
          }
          bound.set(accessor.model, insides)
          return insides
        })
        done.push(accessor)
      }
    } catch (error) {
      for (const accessor of done) accessor[bindAccessor](undefined)
      throw error
    }
    linkAll(bound)
  }

  #outerHandle(): Kysely<AnyDatabase> {
    const outside = (): void => {
      if (!this.#units.current()) return
      throw new UsageError(
        'outer_handle',
        'storage.kysely was used inside a transaction, which it is no part of. Use session.kysely there.',
      )
    }
    return kyselyHandle({
      builder: this.#engine.builder,
      isWatched: (table) => this.#watched.has(table.toLowerCase()),
      unaudited: () => false,
      read: (work) => {
        outside()
        return this.#engine.read(work)
      },
      write: (work) => {
        outside()
        return this.#units.run({ write: {}, alone: false }, (session) => wait(work(session.connection)))
      },
    })
  }

  #sessionHandle(session: Session): Kysely<AnyDatabase> {
    return kyselyHandle({
      builder: this.#engine.builder,
      isWatched: (table) => this.#watched.has(table.toLowerCase()),
      unaudited: () => session.unaudited,
      read: (work) => this.#units.readStatement(session, work),
      write: (work) => this.#units.runStatement(session, work),
    })
  }
}

/** Tells each accessor which records point where. */
function linkAll(bound: ReadonlyMap<AnyModel, BoundAccessor & { references: Link[]; referrers: Link[] }>): void {
  for (const source of bound.values()) {
    for (const field of source.model.fields) {
      const target = field.reference && bound.get(field.reference.model())
      if (!target) continue
      const link = { field, source, target }
      source.references.push(link)
      target.referrers.push(link)
    }
  }
}
