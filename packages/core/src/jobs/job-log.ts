import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { equals, everything, type Filter } from '../query/filter.ts'
import { deleteRows, insertRows, selectRows, updateRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import { runTask, type Task } from '../session/task.ts'
import type { Units } from '../session/units.ts'
import { holds } from '../transfer/schedule/backup-log.ts'
import type { Job, JobOutcome, JobState } from './job.ts'
import { lostOutcome } from './outcome.ts'
import { storable } from './storable.ts'

/** Milliseconds that a job's owner may be silent before the job counts as lost. */
export const lease = 30_000

/** How long a job is remembered after its end, in milliseconds (7 days), and how many are. */
const remembered = { time: 604_800_000, jobs: 1_000 }

/** What became of a job that somebody believes to run here. */
export type Standing = 'held' | 'cancelled' | 'lost'

export interface JobLogOptions {
  /** Names this process among those that have the database open. */
  readonly owner: string
  /** Whether this process runs the job. */
  readonly isHere: (id: string) => boolean
  readonly now: () => Date
}

/** What the database knows of jobs: what other processes see, and what is left after the end. */
export class JobLog {
  readonly #table: BoundTable
  readonly #units: Units
  readonly #owner: string
  readonly #isHere: (id: string) => boolean
  readonly #now: () => Date

  constructor(table: BoundTable, units: Units, { owner, isHere, now }: JobLogOptions) {
    this.#table = table
    this.#units = units
    this.#owner = owner
    this.#isHere = isHere
    this.#now = now
  }

  /** The newest jobs, newest first; or the one with this id. */
  async find({ id, limit = 1 }: { readonly id?: string; readonly limit?: number }): Promise<Job[]> {
    const options = { filter: id === undefined ? everything : equals('id', id), includeDeleted: true, order: newestFirst, limit }
    const rows = await this.#table.engine.read((connection) => runTask(selectRows(this.#table, connection, nobody, options)))
    return Promise.all(rows.map((row) => (this.#isLost(row) ? this.#settleSoon(row) : jobOf(row))))
  }

  add(job: Job): Promise<void> {
    const table = this.#table
    const row = this.#rowOf(job)
    return this.#write(({ connection }) => insertRows(table, connection, [row]))
  }

  /** Tells others that a job goes on. */
  renew({ id, progress }: Job): Promise<Standing> {
    const table = this.#table
    const changed = { progress, lease_until: this.#leaseEnd() }
    const standing = (row: FieldValues | undefined): Standing => this.#standing(row)
    return this.#write(function* (session) {
      const [row] = yield* locked(table, session, equals('id', id))
      const found = standing(row)
      if (found === 'held') yield* updateRows(table, session.connection, session.context, [{ id }], changed)
      return found
    })
  }

  /**
   * Ends a job in the very unit that does its work, so that it is done when that is committed, and never otherwise. Answers whether it
   * may be committed: not when somebody has cancelled it, or has taken its owner for lost.
   */
  *seal(session: Session, { id, progress }: Pick<Job, 'id' | 'progress'>, outcome: JobOutcome): Task<Standing> {
    const table = this.#table
    const [row] = yield* locked(table, session, equals('id', id))
    const found = this.#standing(row)
    if (found !== 'held') return found
    yield* updateRows(table, session.connection, session.context, [{ id }], { ...columnsOf(outcome), progress })
    if (!table.engine.capabilities.serialWrites) return found
    // As long as this unit runs no owner could renew anything: their leases begin anew.
    const running = yield* locked(table, session, equals('state', 'running'))
    yield* updateRows(table, session.connection, session.context, running, { lease_until: this.#leaseEnd() })
    return found
  }

  /** Remembers how a job ended, unless that is known already. Answers what holds. */
  finish(job: Job, outcome: JobOutcome): Promise<Job> {
    const table = this.#table
    const whole = this.#rowOf(job)
    const ended = (row: FieldValues | undefined): boolean => row !== undefined && row['state'] !== 'running'
    return this.#write(function* (session) {
      const [row] = yield* locked(table, session, equals('id', job.id))
      if (row && ended(row)) return jobOf(row)
      const cancelled = job.cancelRequested || row?.['cancel_requested'] === true
      const columns = { ...columnsOf(outcome), progress: job.progress, cancel_requested: cancelled }
      // A restore puts another list of jobs in the place of this one.
      if (row) yield* updateRows(table, session.connection, session.context, [{ id: job.id }], columns)
      else yield* insertRows(table, session.connection, [{ ...whole, ...columns }])
      // An outcome is of the kind of its job.
      return { ...job, ...outcome, cancelRequested: cancelled } as Job
    })
  }

  /** Asks the owner of a job to end it. Answers the job as it stands, or undefined where there is none. */
  requestCancel(id: string): Promise<Job | undefined> {
    const table = this.#table
    return this.#write(function* (session) {
      const [row] = yield* locked(table, session, equals('id', id))
      if (!row) return undefined
      if (row['state'] !== 'running') return jobOf(row)
      yield* updateRows(table, session.connection, session.context, [{ id }], { cancel_requested: true })
      return { ...jobOf(row), cancelRequested: true }
    })
  }

  /** Removes what ended long ago, and the oldest of too many. */
  async forgetOld(): Promise<void> {
    const table = this.#table
    const options = { filter: everything, includeDeleted: true, order: newestFirst, columns: ['id', 'finished_at'] }
    const rows = await table.engine.read((connection) => runTask(selectRows(table, connection, nobody, options)))
    const before = this.#now().getTime() - remembered.time
    const old = rows.filter(({ finished_at }, index) => {
      // Null while it runs, else an instant, as the model of the table has it.
      const end = finished_at as Date | null
      return end !== null && (index >= remembered.jobs || end.getTime() < before)
    })
    if (old.length === 0) return
    const ids = old.map(({ id }) => id)
    await this.#write(({ connection, context }) => deleteRows(table, connection, context, ids))
  }

  #isLost(row: FieldValues): boolean {
    return row['state'] === 'running' && !this.#isHere(String(row['id'])) && !holds(leaseOf(row), this.#now(), lease)
  }

  /**
   * Says of a job that its owner is lost. That is written, so that an owner who was only slow hears of it before it commits anything. While
   * somebody else writes it is not known who that is, and the job is shown as it was last heard of.
   */
  async #settleSoon(row: FieldValues): Promise<Job> {
    const settling = this.#settle(row).catch(() => jobOf(row))
    const { promise, resolve } = Promise.withResolvers<Job>()
    const timer = setTimeout(() => resolve(jobOf(row)), patience)
    try {
      return await Promise.race([settling, promise])
    } finally {
      clearTimeout(timer)
    }
  }

  #settle({ id, kind }: FieldValues): Promise<Job> {
    const table = this.#table
    const isLost = (row: FieldValues): boolean => this.#isLost(row)
    const outcome = lostOutcome(kind as Job['kind'], this.#now())
    return this.#write(function* (session) {
      const [row] = yield* locked(table, session, equals('id', id))
      if (!row) throw new Error('the job was removed meanwhile')
      if (!isLost(row)) return jobOf(row)
      yield* updateRows(table, session.connection, session.context, [{ id }], columnsOf(outcome))
      return { ...jobOf(row), ...outcome } as Job
    })
  }

  #standing(row: FieldValues | undefined): Standing {
    if (row?.['state'] !== 'running' || row['owner'] !== this.#owner) return 'lost'
    return row['cancel_requested'] === true ? 'cancelled' : 'held'
  }

  #leaseEnd(): Date {
    return new Date(this.#now().getTime() + lease)
  }

  #rowOf({ id, kind, state, actor, requestId, startedAt, progress, cancelRequested }: Job): FieldValues {
    const known = { id, kind, state, actor, request_id: requestId, started_at: startedAt, progress, cancel_requested: cancelRequested }
    return { ...known, finished_at: null, result: null, error: null, owner: this.#owner, lease_until: this.#leaseEnd() }
  }

  #write<T>(body: (session: Session) => Task<T>): Promise<T> {
    return this.#units.run({ write: {}, alone: false }, body)
  }
}

/** Milliseconds that whoever looks at a job waits to hear whether its owner is lost. */
const patience = 1_000

const nobody = { principal: undefined, tenant: null, access: 'system' as const }

/** Ids are in the order in which they were made. */
const newestFirst = [{ field: 'id', descending: true }]

function locked(table: BoundTable, { connection, context }: Session, filter: Filter): Task<FieldValues[]> {
  return selectRows(table, connection, context, { filter, includeDeleted: true, order: newestFirst, lock: true })
}

function columnsOf({ state, finishedAt, result, error }: JobOutcome): FieldValues {
  return { state, finished_at: finishedAt, result: storable(result), error: storable(error) }
}

function leaseOf(row: FieldValues): { readonly lease_until: Date } {
  // The model of the table has this field.
  return row as { readonly lease_until: Date }
}

/** The model of the table has these fields, and this file alone writes them. */
function jobOf(row: FieldValues): Job {
  const { id, kind, state, actor, request_id, started_at, finished_at, cancel_requested, progress, result, error } = row
  const told = { requestId: request_id, startedAt: started_at, finishedAt: finished_at, cancelRequested: cancel_requested }
  return { id, kind, state: state as JobState, actor, ...told, progress, result, error } as Job
}
