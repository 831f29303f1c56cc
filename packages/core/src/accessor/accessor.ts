import type { AccessOperation } from '../access/rule.ts'
import type { Awaitable } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import type { HookMoment } from '../hooks/events.ts'
import { deleteMoments, insertMoments, restoreMoments, saveMoments, updateMoments } from '../hooks/moments.ts'
import type { HookRegistry } from '../hooks/registry.ts'
import type { OnceOptions, OnceResult } from '../idempotency/once.ts'
import type { AnyModel } from '../model/model.ts'
import type { IdOf, InsertOf, RowOf, UpdateOf } from '../model/row-types.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { forgetVersions } from '../query/record-version.ts'
import type { Where } from '../query/where.ts'
import { inContextOfCall } from '../session/in-context.ts'
import type { ReadOptions, WriteOptions } from '../session/options.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import { type AggregateOptions, type AggregateRow, aggregateRecords, type MeasureText } from './aggregate.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { deleteRecord, deleteRecords } from './delete.ts'
import { failsEarly, type LoneOperation, momentsOf } from './fails-early.ts'
import type { FindOptions, IdsOrWhere, PageOptions, RecordPage, SelectionOf } from './find-options.ts'
import { insides, runWrite } from './historic-accessor.ts'
import { type NamedInclusion, namedInclusions } from './include.ts'
import { insertRecord, insertRecords } from './insert.ts'
import type { ConditionalWriteOptions } from './match.ts'
import { type BulkWriteOptions, lockMatching, lockMeant } from './meant.ts'
import { inputFor, lacksCaller, modelFor, requireOperation, visibleResult } from './permit.ts'
import { countRecords, findRecords, getRecord, pageRecords, streamRecords } from './read.ts'
import { restoreRecord, restoreRecords } from './restore.ts'
import type { FieldNames, Include, Selected } from './selected.ts'
import { replaceRecord, saveRecord, updateFound, updateRecord } from './update.ts'
import { upsertRecords } from './upsert.ts'
import { WireAccessor } from './wire-accessor.ts'

/** Gives a storage the insides of an accessor; not for anybody else. */
export const bindAccessor = Symbol('bindAccessor')

/**
 * Reads and writes the records of one model. Every write runs the hooks, validates, and leaves one audit entry for each changed
 * record, all in one transaction: the current one when it is called inside `storage.transaction` or a hook, else its own.
 *
 * @example
 * const users = new ModelAccessor(User, 'users')
 * const storage = await openStorage({ url: 'sqlite:./app.db', accessors: [users] })
 * const alice = await users.insert({ name: 'Alice', email: 'a@example.com' }, { actor: 'admin' })
 * await users.update(alice.id, { name: 'Alice B.' }, { actor: 'admin' })
 */
export class ModelAccessor<Model extends AnyModel> extends WireAccessor<Model> {
  readonly model: Model
  /** The name in audit entries and routes. */
  readonly component: string
  #bound: BoundAccessor | undefined

  /**
   * @param model what `defineModel` made
   * @param component the name in audit entries and routes, e.g. `users`: letters, digits, `_` and `-`
   * @throws UsageError `invalid_definition` when the component is no such name
   */
  constructor(model: Model, component: string) {
    super(model, component)
    if (!/^[a-z][a-z0-9_-]{0,59}$/i.test(component)) {
      throw new UsageError('invalid_definition', `"${component}" is no component name: use letters, digits, _ and -, e.g. "users".`)
    }
    this.model = model
    this.component = component
  }

  // ── reads ──

  /** What `include` can name in this storage: what references lead to (`one`), and the components that point here (`many`). */
  inclusions(): readonly NamedInclusion[] {
    return namedInclusions(this[insides]())
  }

  /** The record with this id, or null; also null for an id of the wrong shape, and for a record that `where` does not hold for. */
  async get<const Fields extends FieldNames<Model> | undefined = undefined, const Included extends Include<Model> = Record<never, never>>(
    id: IdOf<Model>,
    options: Pick<FindOptions<Model>, 'includeDeleted' | 'where' | keyof ReadOptions> & SelectionOf<Fields, Included> = {},
  ): Promise<Selected<Model, Fields, Included> | null> {
    // The record was read with these fields and inclusions.
    return getRecord(this[insides](), id, options) as Awaitable<Selected<Model, Fields, Included> | null>
  }

  /** Every record, in the order of the ids. */
  async all(options: Pick<FindOptions<Model>, 'includeDeleted' | keyof ReadOptions> = {}): Promise<RowOf<Model>[]> {
    return this.#rows(await findRecords(this[insides](), options))
  }

  /**
   * The records that the options ask for.
   * @throws InvalidQueryError for a field or comparison that does not exist
   * @example await users.find({ where: { role: 'admin', age: { gte: 18 } }, orderBy: ['-created_at', 'name'], limit: 20 })
   */
  async find<const Fields extends FieldNames<Model> | undefined = undefined, const Included extends Include<Model> = Record<never, never>>(
    options: FindOptions<Model> & SelectionOf<Fields, Included> = {},
  ): Promise<Selected<Model, Fields, Included>[]> {
    // The records were read with these fields and inclusions.
    return findRecords(this[insides](), options) as Awaitable<Selected<Model, Fields, Included>[]>
  }

  /**
   * One page of the records that the options ask for. Cursors stay true while others insert and delete: no record that is there
   * throughout is repeated or skipped.
   * @throws InvalidQueryError for a cursor that is none, or of another order
   * @example
   * const first = await users.page({ orderBy: '-created_at', limit: 20 })
   * if (first.next) await users.page({ orderBy: '-created_at', limit: 20, after: first.next })
   */
  async page<const Fields extends FieldNames<Model> | undefined = undefined, const Included extends Include<Model> = Record<never, never>>(
    options: PageOptions<Model> & SelectionOf<Fields, Included> = {},
  ): Promise<RecordPage<Selected<Model, Fields, Included>>> {
    // The records were read with these fields and inclusions.
    return (await pageRecords(this[insides](), options)) as RecordPage<Selected<Model, Fields, Included>>
  }

  /** The first record that the options ask for, or null. */
  async findOne(options: Omit<FindOptions<Model>, 'limit'> = {}): Promise<RowOf<Model> | null> {
    const [first] = this.#rows(await findRecords(this[insides](), { ...options, limit: 1 }))
    return first ?? null
  }

  /**
   * Measures groups of records: `count`, and `sum`, `avg`, `min`, `max` of a field. Sums of integers and decimals are exact.
   * @throws InvalidQueryError for a field or measure that does not exist
   * @example
   * const roles = await users.aggregate({ groupBy: ['role'], measures: ['count', 'avg:age'] })
   * roles[0] // { role: 'admin', count: 3, avg_age: 41.5 }
   */
  async aggregate<Group extends keyof RowOf<Model> & string = never, Measured extends MeasureText<Model> = 'count'>(
    options: AggregateOptions<Model, Group, Measured>,
  ): Promise<AggregateRow<Model, Group, Measured>[]> {
    // Each row was built from these groups and measures.
    return (await aggregateRecords(this[insides](), options)) as AggregateRow<Model, Group, Measured>[]
  }

  /** How many records there are, or hold the condition. */
  async count(where?: Where<Model>, options: Pick<FindOptions<Model>, 'includeDeleted' | keyof ReadOptions> = {}): Promise<number> {
    return countRecords(this[insides](), { ...options, where })
  }

  /** Whether any record holds the condition. */
  async exists(where?: Where<Model>, options: Pick<FindOptions<Model>, 'includeDeleted' | keyof ReadOptions> = {}): Promise<boolean> {
    return (await countRecords(this[insides](), { ...options, where }, 1)) > 0
  }

  /**
   * The records that the options ask for, one after the other, from one snapshot and in constant memory
   * (inside a transaction they are read at once).
   * @example for await (const user of users.stream({ where: { role: 'admin' } })) console.log(user.name)
   */
  stream(options: FindOptions<Model> = {}): AsyncGenerator<RowOf<Model>, void, undefined> {
    return inContextOfCall(this.#stream(options))
  }

  async *#stream(options: FindOptions<Model>): AsyncGenerator<RowOf<Model>, void, undefined> {
    for await (const row of streamRecords(this[insides](), options)) yield row as RowOf<Model>
  }

  /**
   * The model as a caller knows it: a field that it may not read is marked as secret there, and can be neither asked for nor answered.
   * @throws ForbiddenError for a caller who may read none of the records
   */
  visibleModel(options: ReadOptions = {}): Model {
    // The same model, but for the marks.
    return modelFor(this[insides](), options) as Model
  }

  /** The model as a caller may write it: a field that it may neither read nor set is not there. */
  writableModel(options: ReadOptions = {}): Model {
    const bound = this[insides]()
    // The same model, but for some fields.
    return inputFor(bound, bound.units.callerOf(options)) as Model
  }

  /** Throws ForbiddenError for a caller who may do this with no record at all. */
  requireAccess(operation: AccessOperation, options: ReadOptions = {}): void {
    const bound = this[insides]()
    requireOperation(bound, bound.units.callerOf(options), operation)
  }

  /** Whether rules or a tenant are there to hold for callers, and nobody acts: a route that goes on would be open to everybody. */
  lacksCaller(): boolean {
    return lacksCaller(this[insides]())
  }

  // ── writes ──

  /**
   * Inserts a record.
   * @throws ValidationError when it is not acceptable; ConflictError when a unique field or reference conflicts, or the model is full
   */
  insert(record: InsertOf<Model>, options: WriteOptions = {}): Promise<RowOf<Model>> {
    return this.#row(this.#writeOne('create', options, (bound, session) => insertRecord(bound, session.ending(), record)))
  }

  /** Inserts records, all or none, with few statements. Answers them in the same order. */
  insertMany(records: readonly InsertOf<Model>[], options: WriteOptions = {}): Promise<RowOf<Model>[]> {
    return this.#writeMany(insertMoments, options, (bound, session) => insertRecords(bound, session, records))
  }

  /**
   * Inserts a record, or changes the given fields of the one that has its id and keeps the rest.
   * @throws ConflictError `state_conflict` when the record with that id is soft-deleted
   */
  save(record: InsertOf<Model> | (UpdateOf<Model> & Partial<RowOf<Model>>), options: ConditionalWriteOptions = {}): Promise<RowOf<Model>> {
    return this[runWrite](saveMoments, options, function* (bound, session) {
      return (yield* saveRecord(bound, session, record, options)) as RowOf<Model>
    })
  }

  /**
   * Changes the given fields of a record. When nothing differs, nothing is written and no entry is made.
   * @param patch the fields, or a function that makes them from the record as it stands; it may run again when the unit does
   * @throws NotFoundError when there is no such live record
   * @example await users.update(7, (user) => ({ visits: user.visits + 1 }), { actor: 'admin' })
   */
  update(
    id: IdOf<Model>,
    patch: UpdateOf<Model> | ((current: RowOf<Model>) => UpdateOf<Model>),
    options: ConditionalWriteOptions = {},
  ): Promise<RowOf<Model>> {
    return this.#row(this.#writeOne('update', options, (bound, session) => updateRecord(bound, session.ending(), id, patch, options)))
  }

  /**
   * Changes the given fields of every live record that holds the condition. Answers the ones that changed.
   * @param patch the fields, or a function that makes them from each record as it stands
   * @throws ConflictError `too_many_matches` when the condition holds for more than `atMost` records
   * @example await users.updateMany({ role: 'guest' }, { active: false }, { atMost: 100, actor: 'admin' })
   */
  updateMany(
    where: Where<Model>,
    patch: UpdateOf<Model> | ((current: RowOf<Model>) => UpdateOf<Model>),
    options: BulkWriteOptions = {},
  ): Promise<RowOf<Model>[]> {
    return this.#writeMany(updateMoments, options, function* (bound, session) {
      const found = yield* lockMatching(bound, session, where, { ...options, includeDeleted: false, asked: 'update' })
      return yield* updateFound(bound, session, found, patch)
    })
  }

  /**
   * Gives a record anew: fields that are left out go back to their default or null; id, stamps and immutable fields stay.
   * @param record the fields, or a function that makes them from the record as it stands; it may run again when the unit does
   * @throws NotFoundError when there is no such live record
   */
  replace(
    id: IdOf<Model>,
    record: InsertOf<Model> | ((current: RowOf<Model>) => InsertOf<Model>),
    options: ConditionalWriteOptions = {},
  ): Promise<RowOf<Model>> {
    return this.#row(this.#writeOne('update', options, (bound, session) => replaceRecord(bound, session.ending(), id, record, options)))
  }

  /**
   * Inserts the records whose `on` fields no live record has, and changes the given fields of those that have them. All or none.
   * @param options.on the id, or the fields of one unique key of the model
   */
  upsertMany(
    records: readonly InsertOf<Model>[],
    options: WriteOptions & { readonly on: readonly (keyof RowOf<Model> & string)[] },
  ): Promise<RowOf<Model>[]> {
    const { on, ...write } = options
    return this.#writeMany(saveMoments, write, (bound, session) => upsertRecords(bound, session, records, on))
  }

  /**
   * Deletes a record: marks it where the model has soft delete, else removes it. False when there is no such live record.
   * @throws ConflictError `reference_conflict` when a record that restricts points to it
   */
  delete(id: IdOf<Model>, options: ConditionalWriteOptions = {}): Promise<boolean> {
    return this.#writeOne('delete', options, function* (bound, session) {
      return (yield* deleteRecord(bound, session, id, options)) !== undefined
    })
  }

  /**
   * Deletes a record as `delete` does, or with `purge` for good, deleted or not, and answers it as it was left: with its
   * `deleted_at` where it is only marked. Null when it is not there.
   */
  deleteReturning(id: IdOf<Model>, options: ConditionalWriteOptions & { readonly purge?: boolean } = {}): Promise<RowOf<Model> | null> {
    const { purge = false, ...write } = options
    return this.#writeOne(purge ? 'purge' : 'delete', write, function* (bound, session) {
      return ((yield* deleteRecord(bound, session, id, write, purge)) as RowOf<Model> | undefined) ?? null
    })
  }

  /**
   * Deletes the live records with these ids, or that hold the condition. Answers how many.
   * @throws ConflictError `too_many_matches` when there are more than `atMost`
   */
  deleteMany(idsOrWhere: IdsOrWhere<Model>, options: BulkWriteOptions = {}): Promise<number> {
    return this[runWrite](deleteMoments, options, function* (bound, session) {
      const records = yield* lockMeant(bound, session, idsOrWhere, { ...options, includeDeleted: false, asked: 'delete' })
      return (yield* deleteRecords(bound, session, records, bound.model.deletedAt ? 'soft' : 'hard')).length
    })
  }

  /**
   * Brings a soft-deleted record back. False when it was not deleted, or is not there.
   * @throws ConflictError `unique_conflict` when a live record has taken its unique fields; `state_conflict` without soft delete
   */
  restore(id: IdOf<Model>, options: ConditionalWriteOptions = {}): Promise<boolean> {
    return this[runWrite](restoreMoments, options, function* (bound, session) {
      return (yield* restoreRecord(bound, session.ending(), id, options)) !== undefined
    })
  }

  /** Brings the soft-deleted records with these ids, or that hold the condition, back. Answers how many. */
  restoreMany(idsOrWhere: IdsOrWhere<Model>, options: BulkWriteOptions = {}): Promise<number> {
    return this[runWrite](restoreMoments, options, function* (bound, session) {
      const records = yield* lockMeant(bound, session, idsOrWhere, { ...options, includeDeleted: true, asked: 'restore' })
      return (yield* restoreRecords(bound, session, records)).length
    })
  }

  /** Removes a record for good, deleted or not. False when it is not there. */
  purge(id: IdOf<Model>, options: ConditionalWriteOptions = {}): Promise<boolean> {
    return this.#writeOne('purge', options, function* (bound, session) {
      return (yield* deleteRecord(bound, session, id, options, true)) !== undefined
    })
  }

  /** Removes the records with these ids, or that hold the condition, for good, deleted or not. Answers how many. */
  purgeMany(idsOrWhere: IdsOrWhere<Model>, options: BulkWriteOptions = {}): Promise<number> {
    return this[runWrite](deleteMoments, options, function* (bound, session) {
      const records = yield* lockMeant(bound, session, idsOrWhere, { ...options, includeDeleted: true, asked: 'purge' })
      return (yield* deleteRecords(bound, session, records, 'hard')).length
    })
  }

  /**
   * Holds the model to so many live records from now on, unless the storage's `maxRecordsPerModel` is lower. Asks for an open storage.
   * @throws UsageError `invalid_options` when the accessor belongs to no open storage, or `most` is no whole number from 1 on
   */
  limitRecords(most: number): this {
    const bound = this[insides]()
    if (!Number.isSafeInteger(most) || most < 1) throw new UsageError('invalid_options', 'A record limit is a whole number from 1 on.')
    bound.maxRecords = Math.min(most, bound.maxRecords ?? most)
    return this
  }

  /**
   * Does some work once for a key of the caller's: accessors that are called in it join one transaction, in which the answer is stored,
   * and the same key gets that answer again for 24 hours. A throw keeps nothing.
   * @param options.key the caller's name for the request; `scope` and `content` tell requests and their contents apart
   * @param work does it and answers plain JSON data
   * @throws StrongroomError `idempotency_mismatch` when the key was used with another content; ConflictError `state_conflict` when
   * the first request with the key is still under way
   * @example
   * const { answer, replayed } = await users.once({ key, scope: ['sign-up'], content: email }, async () => {
   *   return { id: (await users.insert({ name, email })).id }
   * })
   */
  once<Answer>(options: OnceOptions, work: () => Promise<Answer>): Promise<OnceResult<Answer>> {
    return this[insides]().once.run(options, work)
  }

  // ── insides ──

  /** Called by the storage when it opens and, with undefined, when it closes. */
  [bindAccessor](bind: ((hooks: HookRegistry) => BoundAccessor) | undefined): void {
    if (bind && this.#bound) {
      throw new UsageError(
        'invalid_options',
        `The accessor of ${this.component} belongs to an open storage. Close that one, or make another accessor: new ModelAccessor(…).`,
      )
    }
    this.#bound = bind?.(this.hooks)
  }

  /** @internal */
  protected [insides](): BoundAccessor {
    if (this.#bound) return this.#bound
    throw new UsageError(
      'invalid_options',
      `The accessor of ${this.component} belongs to no open storage. Give it to openStorage({ accessors: […] }) first.`,
    )
  }

  /** Records inside the library are plain objects of fields; outside they have the model's row type. */
  #rows(records: readonly FieldValues[]): RowOf<Model>[] {
    return records as RowOf<Model>[]
  }

  #row(record: Promise<FieldValues>): Promise<RowOf<Model>> {
    return record as Promise<RowOf<Model>>
  }

  /** @internal */
  protected [runWrite]<T>(moments: readonly HookMoment[], options: WriteOptions, body: WriteBody<T>): Promise<T> {
    return this.#write(moments, options, body)
  }

  #writeOne<T>(operation: LoneOperation, options: WriteOptions, body: WriteBody<T>): Promise<T> {
    return this.#write(momentsOf[operation], options, body, operation)
  }

  async #writeMany(moments: readonly HookMoment[], options: WriteOptions, body: WriteBody<FieldValues[]>): Promise<RowOf<Model>[]> {
    return this.#rows(await this[runWrite](moments, options, body))
  }

  async #write<T>(moments: readonly HookMoment[], options: WriteOptions, body: WriteBody<T>, lone?: LoneOperation): Promise<T> {
    const bound = this[insides]()
    const run = { write: options, alone: bound.hooks.awaits(moments), failsEarly: lone !== undefined && failsEarly(bound, lone, options) }
    const result = await bound.units.run(run, (session) => body(bound, session))
    if (options.dryRun) forgetVersions(result)
    return bound.access ? visibleResult(bound, bound.units.callerOf(options), result) : result
  }
}

/** What a write does in its session. */
type WriteBody<T> = (bound: BoundAccessor, session: Session) => Task<T>
