import type { Engine } from '../../engine/engine.ts'
import type { TimeBudget } from '../../engine/time-budget.ts'
import type { BoundTable, FieldValues } from '../../query/bound-table.ts'
import { equals, everything, type Filter } from '../../query/filter.ts'
import { deleteRows, insertRows, selectRows, updateRows } from '../../query/rows.ts'
import type { Session } from '../../session/session.ts'
import { runTask, type Task, wait } from '../../session/task.ts'
import type { Units } from '../../session/units.ts'

/** A try to make a backup, as it is remembered. */
export interface BackupRecord {
  readonly id: number
  readonly name: string
  readonly place: string
  readonly started_at: Date
  /** Null while it is under way. */
  readonly finished_at: Date | null
  /** Null where there is no file. */
  readonly bytes: number | null
  readonly verified: boolean | null
  readonly error: string | null
  readonly owner: string
  readonly lease_until: Date
}

/** How a try ended. */
export type Outcome = Pick<BackupRecord, 'bytes' | 'verified' | 'error'>

/** A try that belongs to whoever asked for it. */
export interface Claim {
  readonly record: BackupRecord
  /** Somebody else began it and was lost: the file may be there. */
  readonly adopted: boolean
}

export interface ClaimOptions {
  readonly owner: string
  readonly now: Date
  readonly name: string
  readonly place: string
  /** Milliseconds that the claim holds unless it is renewed. */
  readonly lease: number
  /** Whether the next one is due after this one. */
  readonly isDue: (last: BackupRecord) => boolean
}

/** What the database knows of scheduled backups, and who of several processes makes the next one. */
export class BackupLog {
  readonly #engine: Engine
  readonly #table: BoundTable
  readonly #units: Units

  constructor(table: BoundTable, units: Units) {
    this.#engine = table.engine
    this.#table = table
    this.#units = units
  }

  /** The newest tries, newest first. */
  async newest(limit: number, time?: TimeBudget): Promise<BackupRecord[]> {
    const context = { principal: undefined, tenant: null, access: 'system' as const, ...(time && { time }) }
    const options = { filter: everything, includeDeleted: true, order: newestFirst, limit }
    return (await this.#engine.read((connection) => runTask(selectRows(this.#table, connection, context, options)))).map(asRecord)
  }

  /** Begins a try, or takes over one whose owner was lost; undefined while somebody is at work, or nothing is due. */
  claim({ owner, now, name, place, lease, isDue }: ClaimOptions): Promise<Claim | undefined> {
    const table = this.#table
    const lease_until = new Date(now.getTime() + lease)
    return this.#write(function* (session) {
      yield* wait(session.connection.lockTable(table.model.name))
      const [last] = yield* find(table, session, everything)
      if (last && last.finished_at === null) {
        if (holds(last, now, lease)) return undefined
        yield* updateRows(table, session.connection, session.context, [{ id: last.id }], { owner, lease_until })
        return { record: { ...last, owner, lease_until }, adopted: true }
      }
      if (last && !isDue(last)) return undefined
      const unfinished = { finished_at: null, bytes: null, verified: null, error: null }
      const row: FieldValues = { name, place, started_at: now, ...unfinished, owner, lease_until }
      yield* insertRows(table, session.connection, [row])
      return { record: asRecord(row), adopted: false }
    })
  }

  /** Renews a claim. False when it was lost. */
  renew({ id, owner }: BackupRecord, until: Date): Promise<boolean> {
    return this.#change(id, owner, { lease_until: until })
  }

  /** Ends a try. False when it belongs to somebody else meanwhile. */
  finish({ id, owner }: BackupRecord, at: Date, outcome: Outcome): Promise<boolean> {
    return this.#change(id, owner, { ...outcome, finished_at: at })
  }

  /** Says of tries that their files are gone. */
  async markGone(records: readonly BackupRecord[]): Promise<void> {
    if (records.length === 0) return
    const table = this.#table
    const gone = { verified: false, error: 'It is no longer where it was kept.' }
    await this.#write(({ connection, context }) =>
      updateRows(
        table,
        connection,
        context,
        records.map(({ id }) => ({ id })),
        gone,
      ),
    )
  }

  async forget(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return
    const table = this.#table
    await this.#write(({ connection, context }) => deleteRows(table, connection, context, ids))
  }

  #change(id: number, owner: string, changed: FieldValues): Promise<boolean> {
    const table = this.#table
    return this.#write(function* (session) {
      const [record] = yield* find(table, session, equals('id', id))
      if (record?.owner !== owner || record.finished_at !== null) return false
      yield* updateRows(table, session.connection, session.context, [{ id }], changed)
      return true
    })
  }

  #write<T>(body: (session: Session) => Task<T>): Promise<T> {
    return this.#units.run({ write: {}, alone: false }, body)
  }
}

const newestFirst = [{ field: 'id', descending: true }]

function* find(table: BoundTable, { connection, context }: Session, filter: Filter): Task<BackupRecord[]> {
  const rows = yield* selectRows(table, connection, context, { filter, includeDeleted: true, order: newestFirst, limit: 1, lock: true })
  return rows.map(asRecord)
}

/** A clock that was set back must not make a claim hold for ever; those of two machines differ a little. */
export function holds({ lease_until }: Pick<BackupRecord, 'lease_until'>, now: Date, lease: number): boolean {
  const left = lease_until.getTime() - now.getTime()
  return left > 0 && left <= lease * 2
}

/** The model of the table has exactly these fields. */
function asRecord(row: FieldValues): BackupRecord {
  return row as unknown as BackupRecord
}
