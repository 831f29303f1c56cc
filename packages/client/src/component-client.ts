import type { WireModel } from '@strongroom/contract'
import type { AggregateOptions, AggregateRow, MeasureText } from './aggregate.ts'
import type { ChangeEvent, FollowOptions, ImageOf } from './changes.ts'
import type { GetOptions, ListOptions, Page, SelectionOf } from './list-options.ts'
import type { FieldNames, IdOf, Models, NewOf, PatchOf, RecordOf, SavedOf, Selected } from './model-types.ts'
import type { ConditionalWriteOptions, WriteOptions } from './options.ts'
import type { DiffOptions, HistoryOptions, HistoryPage, RecordDiff, RevertOptions } from './past.ts'
import type { Where } from './where.ts'

/** A write to many records. */
export interface BulkWriteOptions extends WriteOptions {
  /** How many records may be found, 1 to 10,000; if there are more, none is changed (ConflictError `too_many_matches`). */
  readonly atMost: number
}

/**
 * Reads and writes the records of one component. Writes reject with a ValidationError, ConflictError, PreconditionFailedError or
 * another StrongroomClientError when the server refuses them.
 *
 * Where a method takes an id or a record, the record is one that `get` or a write answered, and its ETag goes along: the write is
 * refused with a PreconditionFailedError when somebody else has changed it meanwhile.
 *
 * @example
 * const user = await client.users.create({ name: 'Ada', email: 'ada@example.com' })
 * await client.users.update(user, { name: 'Ada L.' })
 */
export interface ComponentClient<Model extends WireModel, Known extends Models> {
  /**
   * One page of records.
   * @example await client.users.list({ where: { role: 'admin', age: { gte: 18 } }, orderBy: '-created_at', limit: 20 })
   */
  list<const Fields extends FieldNames<Model> | undefined = undefined, const Included = Record<never, never>>(
    options?: ListOptions<Model> & SelectionOf<Model, Known, Fields, Included>,
  ): Promise<Page<Selected<Model, Known, Fields, Included>>>

  /**
   * Page after page, from the one that the options ask for to the last. No record that is there throughout is repeated or skipped.
   * @example for await (const page of client.users.pages({ limit: 100 })) console.log(page.records.length, page.total)
   */
  pages<const Fields extends FieldNames<Model> | undefined = undefined, const Included = Record<never, never>>(
    options?: ListOptions<Model> & SelectionOf<Model, Known, Fields, Included>,
  ): AsyncGenerator<Page<Selected<Model, Known, Fields, Included>>, void, undefined>

  /**
   * Record after record; the next page is fetched when it is wanted. `limit` is the size of the pages.
   * @example for await (const user of client.users.stream({ where: { role: 'admin' } })) console.log(user.name)
   */
  stream<const Fields extends FieldNames<Model> | undefined = undefined, const Included = Record<never, never>>(
    options?: ListOptions<Model> & SelectionOf<Model, Known, Fields, Included>,
  ): AsyncGenerator<Selected<Model, Known, Fields, Included>, void, undefined>

  /** The record with this id, or null. */
  get<const Fields extends FieldNames<Model> | undefined = undefined, const Included = Record<never, never>>(
    id: IdOf<Model>,
    options?: GetOptions & SelectionOf<Model, Known, Fields, Included>,
  ): Promise<Selected<Model, Known, Fields, Included> | null>

  /** The same object when the record is still as it was read, else the record as it is now; null when it is gone. */
  refresh(record: RecordOf<Model>, options?: Omit<GetOptions, 'at'>): Promise<RecordOf<Model> | null>

  /** Inserts a record; of an array all or none, at most 10,000. */
  create(record: NewOf<Model>, options?: WriteOptions): Promise<RecordOf<Model>>
  create(records: readonly NewOf<Model>[], options?: WriteOptions): Promise<RecordOf<Model>[]>

  /**
   * Changes the given fields of a record and keeps the rest, or empties it with `replace`; makes the record at a UUID or text id where
   * there is none. A whole record that was read can be sent back.
   */
  save(id: IdOf<Model>, record: SavedOf<Model>, options?: SaveOptions): Promise<RecordOf<Model>>
  save(record: RecordOf<Model>, options?: SaveOptions): Promise<RecordOf<Model>>

  /** Changes the given fields (JSON Merge Patch: an object for a JSON field is merged into the one that stands there). */
  update(target: IdOf<Model> | RecordOf<Model>, patch: PatchOf<Model>, options?: ConditionalWriteOptions): Promise<RecordOf<Model>>

  /** Changes the given fields of every record that holds the condition. Answers the ones that changed. */
  updateMany(where: Where<Model>, patch: PatchOf<Model>, options: BulkWriteOptions): Promise<RecordOf<Model>[]>

  /** Deletes a record: marks it where the model has soft delete, unless `purge` is set. Answers it as it was left. */
  remove(target: IdOf<Model> | RecordOf<Model>, options?: RemoveOptions): Promise<RecordOf<Model>>

  /** Deletes every record that holds the condition. Answers how many. */
  removeMany(where: Where<Model>, options: BulkWriteOptions & { readonly purge?: boolean | undefined }): Promise<number>

  /**
   * Removes a record for good, and what the history has of it: what stays says that there was a record, and that it was erased. Of one
   * that is gone already its history is erased all the same. Rejects with a NotFoundError where there is and was none.
   * @example await client.users.erase(7)
   */
  erase(target: IdOf<Model> | RecordOf<Model>, options?: ConditionalWriteOptions): Promise<void>

  /** Brings a soft-deleted record back, such as `remove` has answered. False when it was not deleted. */
  restore(target: IdOf<Model> | RecordOf<Model>, options?: ConditionalWriteOptions): Promise<boolean>

  /**
   * One page of the audit entries about a record, the newest first; also of one that is gone. Rejects with a NotFoundError where there is
   * and was no such record for the caller.
   * @example
   * const { entries } = await client.users.history(7, { limit: 1 })
   * entries[0]?.actor // who changed user 7 last
   */
  history(id: IdOf<Model>, options?: HistoryOptions): Promise<HistoryPage>

  /**
   * What became of a record, field by field, between an instant and another, or now; null where it was there at neither.
   * @example
   * const diff = await client.users.diff(7, { from: new Date('2026-11-23T09:00:00Z') })
   * diff?.changes // [{ field: 'role', from: 'operator', to: 'admin' }]
   */
  diff(id: IdOf<Model>, options: DiffOptions): Promise<RecordDiff<Model> | null>

  /**
   * Makes a record what it was. A deleted record is restored, and one that is gone is made anew at its id.
   * @example await client.users.revert(7, { to: '2026-11-23T09:00:00Z' })
   */
  revert(target: IdOf<Model> | RecordOf<Model>, options: RevertOptions): Promise<RecordOf<Model>>

  /**
   * Follows the committed changes of the records that the caller may read, each once and in order, and comes back to where it was
   * when the connection is lost: for ever, or until the signal comes. Rejects with a GoneError where what would come next was removed from the
   * server's log, and with an UnauthorizedError or ForbiddenError when the server refuses.
   * @example
   * for await (const change of client.users.changes({ after: bookmark })) {
   *   if (change.type === 'change') show(change.entry.after)
   *   bookmark = change.id
   * }
   */
  changes(options?: FollowOptions): AsyncGenerator<ChangeEvent<ImageOf<Model>>, void, undefined>

  /**
   * Measures groups of records: `count`, and `sum`, `avg`, `min`, `max` of a field.
   * @example
   * const roles = await client.users.aggregate({ groupBy: ['role'], measures: ['count', 'avg:age'] })
   * roles[0] // { role: 'admin', count: 3, avg_age: 41.5 }
   */
  aggregate<Group extends keyof RecordOf<Model> & string = never, Measured extends MeasureText<Model> = 'count'>(
    options: AggregateOptions<Model, Group, Measured>,
  ): Promise<AggregateRow<Model, Group, Measured>[]>
}

/** How a record is saved. */
export interface SaveOptions extends ConditionalWriteOptions {
  /** Fields that are left out go back to their default or null. */
  readonly replace?: boolean | undefined
}

/** How a record is deleted. */
export interface RemoveOptions extends ConditionalWriteOptions {
  /** For good, also when it is soft-deleted already. */
  readonly purge?: boolean | undefined
}
