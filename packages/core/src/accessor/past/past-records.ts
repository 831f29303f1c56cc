import type { AnyModel } from '../../model/model.ts'
import type { IdOf, RowOf } from '../../model/row-types.ts'
import type { Where } from '../../query/where.ts'
import type { ReadOptions } from '../../session/options.ts'
import type { BoundAccessor } from '../bound-accessor.ts'
import type { FindOptions, PageOptions, RecordPage } from '../find-options.ts'
import type { FieldNames, Selected } from '../selected.ts'
import { countPast, findPast, getPast, pagePast } from './read-past.ts'

/** The fields to answer; all unless said. */
interface FieldsOf<Fields> {
  readonly fields?: Fields
}

type Nothing = Record<never, never>

/**
 * The records of a model as they were at an instant: what `get`, `find`, `page` and `count` would have answered then. Secret fields are
 * the text `[secret]`; a field that the model did not have yet is null. Rules and tenants hold for what a record was, and for what it is
 * now where it is still there. Only what is committed is seen, inside a transaction, too.
 *
 * All of it throws InvalidQueryError for an instant that is still to come, and GoneError for one that the log does not reach back to.
 *
 * @example
 * const monday = users.asOf(new Date('2026-11-23T09:00:00Z'))
 * await monday.get(7)
 * await monday.find({ where: { role: 'admin' }, orderBy: 'name', limit: 20 })
 */
export class PastRecords<Model extends AnyModel> {
  /** The instant. */
  readonly time: Date
  readonly #open: () => BoundAccessor

  /** @internal */
  constructor(time: Date, open: () => BoundAccessor) {
    this.time = time
    this.#open = open
  }

  /** The record with this id, or null. Throws GoneError where it was erased. */
  async get<const Fields extends FieldNames<Model> | undefined = undefined>(
    id: IdOf<Model>,
    options: Pick<FindOptions<Model>, 'includeDeleted' | 'where' | keyof ReadOptions> & FieldsOf<Fields> = {},
  ): Promise<Selected<Model, Fields, Nothing> | null> {
    // The record was read with these fields.
    return (await getPast(this.#open(), this.time, id, options)) as Selected<Model, Fields, Nothing> | null
  }

  /** The records that the options ask for. Those that were erased since are not among them. */
  async find<const Fields extends FieldNames<Model> | undefined = undefined>(
    options: FindOptions<Model> & FieldsOf<Fields> = {},
  ): Promise<Selected<Model, Fields, Nothing>[]> {
    // The records were read with these fields.
    return (await findPast(this.#open(), this.time, options)) as Selected<Model, Fields, Nothing>[]
  }

  /** The first record that the options ask for, or null. */
  async findOne(options: Omit<FindOptions<Model>, 'limit'> = {}): Promise<RowOf<Model> | null> {
    const [first] = await findPast(this.#open(), this.time, { ...options, limit: 1 })
    return (first ?? null) as RowOf<Model> | null
  }

  /** One page of the records that the options ask for. A cursor belongs to this instant. */
  async page<const Fields extends FieldNames<Model> | undefined = undefined>(
    options: PageOptions<Model> & FieldsOf<Fields> = {},
  ): Promise<RecordPage<Selected<Model, Fields, Nothing>>> {
    // The records were read with these fields.
    return (await pagePast(this.#open(), this.time, options)) as RecordPage<Selected<Model, Fields, Nothing>>
  }

  /** How many records there were, or held the condition. */
  async count(where?: Where<Model>, options: Pick<FindOptions<Model>, 'includeDeleted' | keyof ReadOptions> = {}): Promise<number> {
    return countPast(this.#open(), this.time, { ...options, where })
  }
}
