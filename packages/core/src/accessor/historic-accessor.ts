import type {
  ArrivalOptions,
  ChangeEvent,
  ChangePage,
  ChangePageOptions,
  ChangeSource,
  RecordChangesOptions,
} from '../audit/change-events.ts'
import type { AuditEntry } from '../audit/entry.ts'
import type { HookMoment } from '../hooks/events.ts'
import { deleteMoments, restoreMoments, saveMoments } from '../hooks/moments.ts'
import type { AnyModel } from '../model/model.ts'
import type { IdOf, RowOf } from '../model/row-types.ts'
import type { WriteOptions } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { eraseRecord } from './erase.ts'
import { HookedAccessor } from './hooked-accessor.ts'
import type { ConditionalWriteOptions, Conditions } from './match.ts'
import { type DiffOptions, diffRecord, type RecordDiff } from './past/diff.ts'
import { PastRecords } from './past/past-records.ts'
import { type HistoryOptions, type HistoryPage, pageHistory, readHistory } from './past/record-history.ts'
import { revertRecord } from './past/revert-record.ts'

/** Where a record shall go back to. */
export interface RevertOptions extends WriteOptions, Conditions {
  /** An instant, or the id of one of the record's audit entries: the record becomes what it was then, or what that entry left. */
  readonly to: Date | number
}

/** The changes of a component's records, step by step. */
export interface RecordFeed extends Pick<ChangeSource, 'wait'> {
  page(options?: Omit<ChangePageOptions, 'component'>): Promise<ChangePage>
}

/** The insides of an accessor and its way to write, by names that nobody else has. */
export const insides = Symbol('insides')
export const runWrite = Symbol('runWrite')

/** The part of an accessor that knows what records were. */
export abstract class HistoricAccessor<Model extends AnyModel> extends HookedAccessor<Model> {
  /** @internal */
  protected abstract [insides](): BoundAccessor
  /** @internal */
  protected abstract [runWrite]<T>(
    moments: readonly HookMoment[],
    options: WriteOptions,
    body: (bound: BoundAccessor, session: Session) => Task<T>,
  ): Promise<T>

  /**
   * The audit entries about one record, the newest first: also of one that is gone. A caller who is held to rules or a tenant gets those
   * whose images it may read.
   * @throws InvalidQueryError for a cursor that is none
   * @example
   * const [last] = await users.history(7)
   * last?.actor // who changed user 7 last
   */
  async history(id: IdOf<Model>, options: HistoryOptions = {}): Promise<AuditEntry[]> {
    return readHistory(this[insides](), id, options)
  }

  /** One page of a record's history (100 entries unless `limit` says otherwise); null where there is and was no such record for the caller. */
  async historyPage(id: IdOf<Model>, options: HistoryOptions = {}): Promise<HistoryPage | null> {
    return pageHistory(this[insides](), id, options)
  }

  /**
   * Follows the committed changes of these records in the one order of history, as far as the caller may read them: for ever, or until the
   * signal comes.
   * @throws as `feed.page` does; StorageUnavailableError `storage_closed` when the storage is closed; UsageError `outer_handle` in a transaction
   * @example
   * for await (const change of users.changes({ after: bookmark })) {
   *   if (change.type === 'change') await index(change.entry.record_id, change.entry.after)
   *   bookmark = change.id
   * }
   */
  changes(options: RecordChangesOptions & Pick<ArrivalOptions, 'signal'> = {}): AsyncGenerator<ChangeEvent, void, undefined> {
    const { feed, component } = this[insides]()
    return feed.follow({ ...options, component })
  }

  /** The same step by step, for whoever passes changes on: the next ones after a place, and waiting for them. */
  get feed(): RecordFeed {
    const { feed, component } = this[insides]()
    return { page: (options) => feed.page({ ...options, component }), wait: (place, options) => feed.wait(place, options) }
  }

  /**
   * Erases a record: removes it for good, with those that go with it, and takes what it was out of its history, in entries that still
   * verify. An `erase` entry says that it was done, and a backup from before that is restored is erased again. Also for a record that is gone
   * already. False where nothing is there to erase. Backups, and answers that are kept for an idempotency key for a day, have what they had.
   * @throws as `purge` does
   * @example await users.erase(7, { actor: 'data protection' })
   */
  erase(id: IdOf<Model>, options: ConditionalWriteOptions = {}): Promise<boolean> {
    return this[runWrite](deleteMoments, options, (bound, session) => eraseRecord(bound, session, id, options))
  }

  /**
   * The records as they were at an instant: `get`, `find`, `page` and `count` answer what they would have answered then.
   * @example
   * const lastWeek = users.asOf(new Date(Date.now() - 7 * 86_400_000))
   * const admins = await lastWeek.find({ where: { role: 'admin' } })
   */
  asOf(time: Date): PastRecords<Model> {
    return new PastRecords(time, () => this[insides]())
  }

  /**
   * What became of a record, field by field, between an instant and another, or now; null where it was not there at either.
   * @example
   * const diff = await users.diff(7, { from: new Date('2026-11-23T09:00:00Z') })
   * diff?.changes // [{ field: 'role', from: 'operator', to: 'admin' }]
   */
  async diff(id: IdOf<Model>, options: DiffOptions): Promise<RecordDiff<Model> | null> {
    // The fields and records are those of this model.
    return (await diffRecord(this[insides](), id, options)) as unknown as RecordDiff<Model> | null
  }

  /**
   * Makes a record what it was: a write like any other, with hooks, checks and an audit entry. A deleted record is restored, a purged one
   * made anew at its id. Secret fields, and those that the caller may not set, stay as they are. Answers the record as it is then.
   * @throws NotFoundError where there is no such record, or entry; GoneError for a past that was removed or erased; ConflictError
   * `state_conflict` where it was not there then, or is purged and has a secret that it needs; else as `update`, `restore` and `insert`
   * @example
   * await users.revert(7, { to: new Date('2026-11-23T09:00:00Z'), actor: 'admin' })
   */
  async revert(id: IdOf<Model>, options: RevertOptions): Promise<RowOf<Model>> {
    const { to, ifMatch, ifNoneMatch, ...write } = options
    const { moments } = this[insides]()
    const place = typeof to === 'number' ? to : await moments.at(to)
    return this[runWrite](revertMoments, write, function* (bound, session) {
      return (yield* revertRecord(bound, session, id, place, { ifMatch, ifNoneMatch })) as RowOf<Model>
    })
  }
}

const revertMoments = [...saveMoments, ...restoreMoments] as const
