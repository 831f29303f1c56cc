import { type AnyAccessor, type Storage, versionOf } from '@strongroom/core'
import { type Query, type Question, questionOf, type Selection, selectionOf } from './query.ts'

type Row = Readonly<Record<string, unknown>>
type Id = string | number

/** The accessor as one sees it who does not know the model's fields. */
interface Records {
  get(id: Id, options: Partial<Question> & Selection): Promise<Row | null>
  find(options: Partial<Question> & Selection): Promise<Row[]>
  page(options: Question & Selection): Promise<{ readonly rows: readonly Row[]; readonly total?: number }>
  insert(record: Row): Promise<Row>
  insertMany(records: readonly Row[]): Promise<Row[]>
  update(id: Id, patch: Row, options: { readonly ifMatch: string }): Promise<Row>
  updateMany(where: Row, patch: Row): Promise<Row[]>
  replace(id: Id, record: Row, options: { readonly ifMatch: string }): Promise<Row>
  delete(id: Id, options: { readonly ifMatch: string }): Promise<boolean>
  deleteMany(where: Row): Promise<number>
}

interface Paginate {
  readonly default?: number
  readonly max?: number
}

/** What a Feathers service can be told; the tests change it as they go. */
interface Options {
  multi: boolean | readonly string[]
  paginate: Paginate | false
}

interface Params {
  readonly query?: Query
  readonly paginate?: Paginate | false
  /** Options for this call alone. */
  readonly adapter?: Partial<Options>
}

interface FeathersPage {
  readonly total: number | undefined
  readonly limit: number
  readonly skip: number
  readonly data: readonly Row[]
}

/** Errors are known by their name there. */
class NotFound extends Error {
  override readonly name = 'NotFound'
}

class MethodNotAllowed extends Error {
  override readonly name = 'MethodNotAllowed'
}

/** An accessor as a Feathers service. It translates and calls; it neither filters, sorts, cuts nor picks anything itself. */
export class AccessorService {
  readonly id: string
  readonly events: readonly string[] = ['testing']
  readonly options: Options = { multi: false, paginate: {} }
  // the tests call methods on objects that only inherit from a service, which private fields would refuse
  readonly accessor: Records
  readonly storage: Storage

  constructor(storage: Storage, accessor: AnyAccessor) {
    this.storage = storage
    // the fields of its queries are checked when they run, and not by the types
    this.accessor = accessor as unknown as Records
    this.id = accessor.model.id.name
  }

  find(params: Params = {}): Promise<readonly Row[] | FeathersPage> {
    return this._find(params)
  }

  get(id: Id, params: Params = {}): Promise<Row> {
    return this._get(id, params)
  }

  async create(data: Row | Row[], params: Params = {}): Promise<Row | readonly Row[]> {
    if (Array.isArray(data)) this.allowMany('create', params)
    return this._create(data, params)
  }

  update(id: Id, data: Row, params: Params = {}): Promise<Row> {
    return this._update(id, data, params)
  }

  async patch(id: Id | null, data: Row, params: Params = {}): Promise<Row | readonly Row[]> {
    if (id === null) this.allowMany('patch', params)
    return this._patch(id, data, params)
  }

  async remove(id: Id | null, params: Params = {}): Promise<Row | readonly Row[]> {
    if (id === null) this.allowMany('remove', params)
    return this._remove(id, params)
  }

  async _find({ query = {}, ...params }: Params): Promise<readonly Row[] | FeathersPage> {
    const paginate = params.paginate ?? params.adapter?.paginate ?? this.options.paginate
    const options = { ...questionOf(query), ...selectionOf(query, this.id) }
    if (!paginate || paginate.default === undefined) return this.accessor.find(options)
    const limit = Math.min(options.limit ?? paginate.default, paginate.max ?? Number.MAX_SAFE_INTEGER)
    const { rows, total } = await this.accessor.page({ ...options, limit })
    return { total, limit, skip: options.offset ?? 0, data: rows }
  }

  async _get(id: Id, { query = {} }: Params): Promise<Row> {
    const record = await this.accessor.get(id, { where: questionOf(query).where, ...selectionOf(query, this.id) })
    return record ?? this.notFound(id)
  }

  _create(data: Row | Row[], { query = {} }: Params): Promise<Row | readonly Row[]> {
    return this.storage.transaction(async () => {
      if (!Array.isArray(data)) return this.again(await this.accessor.insert(data), query)
      const records = await this.accessor.insertMany(data)
      return Promise.all(records.map((record) => this.again(record, query)))
    })
  }

  _update(id: Id, data: Row, { query = {} }: Params): Promise<Row> {
    return this.withRecord(id, query, async (ifMatch) => this.again(await this.accessor.replace(id, data, { ifMatch }), query))
  }

  _patch(id: Id | null, data: Row, { query = {} }: Params): Promise<Row | readonly Row[]> {
    if (id !== null) {
      return this.withRecord(id, query, async (ifMatch) => this.again(await this.accessor.update(id, data, { ifMatch }), query))
    }
    return this.storage.transaction(async () => {
      const found = await this.accessor.find({ where: questionOf(query).where, fields: [this.id] })
      const where = { [this.id]: { in: found.map((record) => record[this.id]) } }
      await this.accessor.updateMany(where, data)
      return this.accessor.find({ where, ...selectionOf(query, this.id) })
    })
  }

  _remove(id: Id | null, { query = {} }: Params): Promise<Row | readonly Row[]> {
    const selection = selectionOf(query, this.id)
    if (id !== null) {
      return this.withRecord(id, query, async (ifMatch) => {
        const record = await this.accessor.get(id, selection)
        await this.accessor.delete(id, { ifMatch })
        return record ?? this.notFound(id)
      })
    }
    return this.storage.transaction(async () => {
      const { where } = questionOf(query)
      const records = await this.accessor.find({ where, ...selection })
      await this.accessor.deleteMany(where)
      return records
    })
  }

  /** A write to one record that holds the query's conditions, and is still the one that was looked at. */
  private withRecord<Result>(id: Id, query: Query, write: (ifMatch: string) => Promise<Result>): Promise<Result> {
    return this.storage.transaction(async () => {
      const version = versionOf(await this.accessor.get(id, { where: questionOf(query).where }))
      return version === undefined ? this.notFound(id) : write(version)
    })
  }

  /** What was written, with the fields that are asked for. */
  private again(record: Row, query: Query): Promise<Row> {
    return this._get(record[this.id] as Id, { query: query['$select'] === undefined ? {} : { $select: query['$select'] } })
  }

  private allowMany(method: string, { adapter }: Params): void {
    const multi = adapter?.multi ?? this.options.multi
    const allowed = typeof multi === 'boolean' ? multi : multi.includes(method)
    if (!allowed) throw new MethodNotAllowed(`Can not ${method} multiple entries`)
  }

  private notFound(id: Id): never {
    throw new NotFound(`No record found for id '${id}'`)
  }
}
