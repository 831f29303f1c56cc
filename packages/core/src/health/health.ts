import { componentsIn, hasOwnIndex } from '../audit/positions.ts'
import type { Engine, EngineQueue } from '../engine/engine.ts'
import { TimeBudget } from '../engine/time-budget.ts'
import { QueryTimeoutError, StorageUnavailableError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { blocking, diffSchema, leftovers } from '../schema/diff/schema-diff.ts'
import type { Migration, MigrationStatus } from '../schema/migrate/migration.ts'
import { readStatus } from '../schema/migrate/read-status.ts'
import { policyDifferences } from '../schema/tenant-policies.ts'
import { runTask } from '../session/task.ts'
import type { BackupLog } from '../transfer/schedule/backup-log.ts'
import { type KeptBackup, keptBackup } from '../transfer/schedule/kept-backup.ts'

/** What `health` found out by real queries. */
export interface StorageHealth {
  /** e.g. `SQLite 3.54.1`. */
  readonly engine: string
  /** Milliseconds that a query took. */
  readonly latency: number
  /** Bytes of the database: of SQLite's pages, those in its log included, or as PostgreSQL counts them. */
  readonly databaseBytes: number
  /** Bytes of SQLite's write-ahead log; null on PostgreSQL. */
  readonly walBytes: number | null
  /** Bytes that are free on the disk of SQLite's file; null on PostgreSQL. */
  readonly freeDiskBytes: number | null
  /** How the tables differ from the models, a sentence for each difference. */
  readonly schemaDifferences: readonly string[]
  /** What is there and no model asks for any more: a sentence for each. */
  readonly schemaLeftovers: readonly string[]
  /** How the option `migrations` stands to the database; all empty where there is none. */
  readonly migrations: Pick<MigrationStatus, 'pending' | 'changed' | 'missing'>
  /** The newest scheduled backup of which there is a file; null where there is none. */
  readonly lastBackup: (KeptBackup & { readonly age: number }) | null
  /** The scheduled backup that is being made, and the seconds since it was begun; null where none is. */
  readonly backupUnderWay: (Pick<KeptBackup, 'name' | 'place' | 'createdAt'> & { readonly age: number }) | null
  /** Why the newest scheduled backup failed; null where it did not. */
  readonly backupError: string | null
  /** Who uses the one writer of SQLite, or the connections to PostgreSQL, and who waits for that. */
  readonly queue: EngineQueue
  readonly audit: {
    readonly epoch: number
    /** Null while the log is empty. */
    readonly lastEntry: { readonly id: number; readonly timestamp: Date } | null
    /** Milliseconds that the oldest entry without a seal has waited for one; 0 where all have theirs, as ever on SQLite. */
    readonly sealLag: number
  }
}

/**
 * Milliseconds for the database to answer. Those who ask (load balancers, orchestrators) do so every few seconds and give up after some;
 * a server that answers nobody within two is of no use to its clients, either.
 */
const patience = 2_000

/** Entries without a seal among which the oldest is looked for: an import may have left a million. */
const unsealedLookedAt = 10_000

/** Tries among which the last backup is looked for: failures that follow each other come every quarter of an hour at most. */
const recentTries = 100

export interface HealthParts {
  readonly engine: Engine
  /** The app's own. */
  readonly models: readonly AnyModel[]
  /** The audit log, and where it stands. */
  readonly log: BoundTable
  readonly head: BoundTable
  readonly backups: BackupLog
  readonly migrations?: readonly Migration[] | undefined
}

/** Asks the database how it is. */
export class Health {
  readonly #parts: HealthParts
  readonly #ping: Question<void>
  readonly #examination: Question<StorageHealth>

  constructor(parts: HealthParts) {
    this.#parts = parts
    this.#ping = new Question(async (time) => void (await this.#epoch(time)))
    this.#examination = new Question((time) => this.#examine(time))
  }

  /** Reads a row. Throws StorageUnavailableError when that takes too long. */
  ping(): Promise<void> {
    return this.#ping.ask()
  }

  /** Reads everything that operators want to know. No table is read from end to end. */
  examine(): Promise<StorageHealth> {
    return this.#examination.ask()
  }

  async #examine(time: TimeBudget): Promise<StorageHealth> {
    const { engine, models } = this.#parts
    const { version, ...figures } = await engine.health(time)
    const start = performance.now()
    const epoch = await this.#epoch(time)
    const latency = performance.now() - start
    const diff = await engine.read((connection) => diffSchema(engine, { all: (statement) => connection.all(statement, time) }, models))
    const policies = await engine.read((connection) => engine.tenantPolicies({ all: (statement) => connection.all(statement, time) }))
    const lastEntry = await this.#lastEntry(time)
    return {
      engine: version,
      latency,
      ...figures,
      schemaDifferences: [...blocking(diff), ...policyDifferences(engine, models, policies)],
      schemaLeftovers: leftovers(diff),
      migrations: await this.#migrations(),
      ...(await this.#backups(time)),
      audit: { epoch, lastEntry, sealLag: await this.#sealLag(time) },
    }
  }

  async #migrations(): Promise<StorageHealth['migrations']> {
    const { engine, migrations } = this.#parts
    if (!migrations) return { pending: [], changed: [], missing: [] }
    const { pending, changed, missing } = await readStatus(engine, migrations)
    return { pending, changed, missing }
  }

  async #epoch(time: TimeBudget): Promise<number> {
    const { engine, head } = this.#parts
    const statement = engine.builder.selectFrom(head.model.name).select('epoch').limit(1).compile()
    const [row] = await engine.read((connection) => connection.all(statement, time))
    return Number(row?.['epoch'] ?? 1)
  }

  async #lastEntry(time: TimeBudget): Promise<StorageHealth['audit']['lastEntry']> {
    const { engine, log } = this.#parts
    const statement = engine.builder.selectFrom(log.model.name).select(['id', 'timestamp']).orderBy('id', 'desc').limit(1).compile()
    const [row] = await engine.read((connection) => connection.all(statement, time))
    // A DateTime field gives Dates.
    return row ? { id: Number(row['id']), timestamp: log.decodeField('timestamp', row['timestamp']) as Date } : null
  }

  async #sealLag(time: TimeBudget): Promise<number> {
    const { engine, log } = this.#parts
    const components = hasOwnIndex(log) ? undefined : await engine.read((connection) => runTask(componentsIn(log, connection)))
    const all = engine.builder.selectFrom(log.model.name).select('timestamp').where('seq', 'is', null).limit(unsealedLookedAt)
    const unsealed = components ? all.where('component', 'in', components) : all
    const statement = engine.builder
      .selectFrom(unsealed.as('unsealed'))
      .select((eb) => eb.fn.min('timestamp').as('oldest'))
      .compile()
    const [row] = await engine.read((connection) => connection.all(statement, time))
    const oldest = row?.['oldest'] ?? null
    // A DateTime field gives Dates.
    return oldest === null ? 0 : Math.max(0, Date.now() - (log.decodeField('timestamp', oldest) as Date).getTime())
  }

  async #backups(time: TimeBudget): Promise<Pick<StorageHealth, 'lastBackup' | 'backupUnderWay' | 'backupError'>> {
    const tries = await this.#parts.backups.newest(recentTries, time)
    const ended = tries.filter(({ finished_at }) => finished_at !== null)
    const current = tries.find(({ finished_at }) => finished_at === null)
    const kept = ended.find(({ bytes }) => bytes !== null)
    const last = kept && keptBackup(kept)
    return {
      lastBackup: last ? { ...last, age: ageOf(last.createdAt) } : null,
      backupUnderWay: current
        ? { name: current.name, place: current.place, createdAt: current.started_at, age: ageOf(current.started_at) }
        : null,
      backupError: ended[0]?.error ?? null,
    }
  }
}

/** Seconds; clocks of two machines may differ. */
function ageOf(moment: Date): number {
  return Math.max(0, (Date.now() - moment.getTime()) / 1_000)
}

/** Is put to the database once at a time: however many ask one that is slow, they take no more than one of its connections from others. */
class Question<T> {
  readonly #put: (time: TimeBudget) => Promise<T>
  #running: Promise<T> | undefined

  constructor(put: (time: TimeBudget) => Promise<T>) {
    this.#put = put
  }

  /** A server that hangs answers neither the query nor the order to stop it: nobody waits for that. */
  async ask(): Promise<T> {
    const { promise: over, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(unanswered()), patience)
    try {
      return await Promise.race([this.#answer(), over])
    } catch (error) {
      throw error instanceof QueryTimeoutError ? unanswered() : error
    } finally {
      clearTimeout(timer)
    }
  }

  async #answer(): Promise<T> {
    // What was in the way of one that was put before may be gone.
    if (this.#running) {
      const [answer] = await Promise.allSettled([this.#running])
      if (answer.status === 'fulfilled') return answer.value
    }
    this.#running ??= this.#put(new TimeBudget(patience)).finally(() => {
      this.#running = undefined
    })
    return await this.#running
  }
}

function unanswered(): StorageUnavailableError {
  return new StorageUnavailableError('storage_unavailable', `The database did not answer within ${patience} milliseconds. Try again later.`)
}
