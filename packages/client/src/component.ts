import { type QueryPair, type WireModel, writeConditions } from '@strongroom/contract'
import { type ChangeEvent, type FollowOptions, followChanges } from './changes.ts'
import type { ComponentClient, RemoveOptions, SaveOptions } from './component-client.ts'
import { type Connection, type Data, flag } from './connection.ts'
import { NotFoundError } from './errors.ts'
import { recall, remember } from './known-records.ts'
import type { GetOptions, ListOptions, Page } from './list-options.ts'
import type { Models } from './model-types.ts'
import type { CallOptions, ConditionalWriteOptions, WriteOptions } from './options.ts'
import { cursorPair, placeInEnvelope, placeInHeaders } from './page.ts'
import { type DiffOptions, type HistoryOptions, type HistoryPage, instantPair, instantText, type RevertOptions } from './past.ts'
import { strangeError } from './read-error.ts'
import { conditionsOf } from './where.ts'

type Row = Record<string, unknown>
type Target = string | number | object
/** Options of any model; `ComponentClient` types them for each. */
type Selection = {
  readonly fields?: readonly string[] | undefined
  readonly include?: Readonly<Record<string, boolean | undefined>> | undefined
}
type AnyListOptions = Omit<ListOptions<WireModel>, 'orderBy' | 'where'> &
  Selection & { readonly where?: object | undefined; readonly orderBy?: string | readonly string[] | undefined }
type AnyAggregateOptions = CallOptions & {
  readonly groupBy?: readonly string[] | undefined
  readonly measures: readonly string[]
  readonly where?: object | undefined
  readonly includeDeleted?: boolean | undefined
  readonly limit?: number | undefined
}
type AnyBulkOptions = WriteOptions & { readonly atMost: number; readonly purge?: boolean | undefined }

/** Makes the client of one component. */
export function makeComponent<Model extends WireModel, Known extends Models>(
  connection: Connection,
  component: string,
): ComponentClient<Model, Known> {
  const requests = new ComponentRequests(connection, component)
  const client: { readonly [Name in keyof ComponentClient<Model, Known>]: (...args: never) => unknown } = {
    list: (options: AnyListOptions = {}) => requests.list(options),
    pages: (options: AnyListOptions = {}) => requests.pages(options),
    stream: (options: AnyListOptions = {}) => requests.stream(options),
    get: (id: string | number, options: GetOptions & Selection = {}) => requests.get(id, options),
    refresh: (record: Row, options: GetOptions = {}) => requests.refresh(record, options),
    create: (body: object, options: WriteOptions = {}) => requests.create(body, options),
    save: (target: Target, ...rest: [unknown?, SaveOptions?]) =>
      typeof target === 'object' ? requests.save(target, target, rest[0] ?? {}) : requests.save(target, rest[0], rest[1] ?? {}),
    update: (target: Target, patch: object, options: ConditionalWriteOptions = {}) => requests.update(target, patch, options),
    updateMany: (where: object, patch: object, options: AnyBulkOptions) => requests.updateMany(where, patch, options),
    remove: (target: Target, options: RemoveOptions = {}) => requests.remove(target, options),
    removeMany: (where: object, options: AnyBulkOptions) => requests.removeMany(where, options),
    erase: (target: Target, options: ConditionalWriteOptions = {}) => requests.erase(target, options),
    restore: (target: Target, options: ConditionalWriteOptions = {}) => requests.restore(target, options),
    history: (id: string | number, options: HistoryOptions = {}) => requests.history(id, options),
    diff: (id: string | number, options: DiffOptions) => requests.diff(id, options),
    revert: (target: Target, options: RevertOptions) => requests.revert(target, options),
    changes: (options: FollowOptions = {}) => requests.changes(options),
    aggregate: (options: AnyAggregateOptions) => requests.aggregate(options),
  }
  // Models are types alone: the same requests serve every one of them, and its interface says what goes in and out.
  return client as ComponentClient<Model, Known>
}

/** The requests of one component; what they answer is typed by `ComponentClient`. */
class ComponentRequests {
  readonly #connection: Connection
  readonly #path: string

  constructor(connection: Connection, component: string) {
    this.#connection = connection
    this.#path = `/${encodeURIComponent(component)}`
  }

  async list(options: AnyListOptions): Promise<Page<Row>> {
    const { data, pagination, answer } = await this.#connection.read({ path: this.#path, query: listQuery(options) }, options)
    if (!Array.isArray(data)) throw strangeError(answer.status, answer.headers.get('x-request-id') ?? undefined)
    return { records: data, ...(pagination ? placeInEnvelope(pagination) : placeInHeaders(answer.headers)) }
  }

  async *pages(options: AnyListOptions): AsyncGenerator<Page<Row>, void, undefined> {
    const { offset, before, ...further } = options
    let page = await this.list(options)
    yield page
    while (page.next !== undefined) {
      page = await this.list({ ...further, after: page.next })
      yield page
    }
  }

  async *stream(options: AnyListOptions): AsyncGenerator<Row, void, undefined> {
    for await (const { records } of this.pages({ count: 'none', ...options })) yield* records
  }

  async get(id: string | number, options: GetOptions & Selection): Promise<Row | null> {
    const query = [...flag('include_deleted', options.includeDeleted), ...instantPair('at', options.at), ...selectionPairs(options)]
    return orNull(async () => recordIn(await this.#connection.read({ path: this.#at(id), query }, options), String(id)))
  }

  async refresh(record: Row, options: GetOptions): Promise<Row | null> {
    const { id, etag } = recall(record)
    const call = { path: this.#at(id), query: flag('include_deleted', options.includeDeleted), headers: { 'if-none-match': etag } }
    return orNull(async () => {
      const found = await this.#connection.read(call, options)
      return found.answer.status === 304 ? record : recordIn(found, id)
    })
  }

  async create(body: object, options: WriteOptions): Promise<Row | Row[]> {
    const made = await this.#connection.write({ method: 'POST', path: this.#path, body }, options)
    if (Array.isArray(made.data)) return made.data
    const location = made.answer.headers.get('location')
    // A dry run makes nothing, so there is no place to remember.
    return location === null ? rowOf(made) : recordIn(made, decodeURIComponent(location.slice(location.lastIndexOf('/') + 1)))
  }

  async save(target: Target, body: unknown, { replace, ...options }: SaveOptions): Promise<Row> {
    return this.#change('PUT', target, body, options, flag('replace', replace))
  }

  async update(target: Target, patch: object, options: ConditionalWriteOptions): Promise<Row> {
    return this.#change('PATCH', target, patch, options)
  }

  async updateMany(where: object, patch: object, options: AnyBulkOptions): Promise<Row[]> {
    const call = { method: 'PATCH', path: this.#path, query: bulkQuery(where, options), body: patch } as const
    // The contract says what is answered.
    return (await this.#connection.write(call, options)).data as Row[]
  }

  async remove(target: Target, { purge, ...options }: RemoveOptions): Promise<Row> {
    const { id, etag } = recall(target)
    const call = { method: 'DELETE', path: this.#at(id), query: flag('purge', purge) } as const
    const removed = await this.#connection.write(call, { ...options, ifMatch: options.ifMatch ?? etag })
    // The contract says what is answered.
    return remember(rowOf(removed)['record'] as Row, id, removed.answer.headers.get('etag'))
  }

  async removeMany(where: object, options: AnyBulkOptions): Promise<number> {
    const query = [...bulkQuery(where, options), ...flag('purge', options.purge)]
    return Number(rowOf(await this.#connection.write({ method: 'DELETE', path: this.#path, query }, options))['count'])
  }

  async erase(target: Target, options: ConditionalWriteOptions): Promise<void> {
    const { id, etag } = recall(target)
    const call = { method: 'DELETE', path: this.#at(id), query: flag('erase', true) } as const
    await this.#connection.write(call, { ...options, ifMatch: options.ifMatch ?? etag })
  }

  async restore(target: Target, options: ConditionalWriteOptions): Promise<boolean> {
    const { id, etag } = recall(target)
    const call = { method: 'POST', path: `${this.#at(id)}/restore` } as const
    return rowOf(await this.#connection.write(call, { ...options, ifMatch: options.ifMatch ?? etag }))['restored'] === true
  }

  async history(id: string | number, { limit, offset, after, ...options }: HistoryOptions): Promise<HistoryPage> {
    const place = after === undefined ? [] : [cursorPair('after', after)]
    const query = [...value('limit', limit), ...value('offset', offset), ...place]
    const { data, pagination, answer } = await this.#connection.read({ path: `${this.#at(id)}/history`, query }, options)
    if (!Array.isArray(data)) throw strangeError(answer.status, answer.headers.get('x-request-id') ?? undefined)
    const { next } = pagination ? placeInEnvelope(pagination) : placeInHeaders(answer.headers)
    return { entries: data, ...(next !== undefined && { next }) }
  }

  async diff(id: string | number, { from, to, ...options }: DiffOptions): Promise<Row | null> {
    const query = [...instantPair('from', from), ...instantPair('to', to)]
    return orNull(async () => rowOf(await this.#connection.read({ path: `${this.#at(id)}/diff`, query }, options)))
  }

  async revert(target: Target, { to, ...options }: RevertOptions): Promise<Row> {
    const { id, etag } = recall(target)
    const body = { to: typeof to === 'number' ? to : instantText(to) }
    const call = { method: 'POST', path: `${this.#at(id)}/revert`, body } as const
    return recordIn(await this.#connection.write(call, { ...options, ifMatch: options.ifMatch ?? etag }), id)
  }

  changes(options: FollowOptions): AsyncGenerator<ChangeEvent<unknown>, void, undefined> {
    return followChanges(this.#connection.open, `${this.#path}/changes`, options)
  }

  async aggregate(options: AnyAggregateOptions): Promise<Row[]> {
    const query = [
      ...names('group_by', options.groupBy),
      ...names('measures', options.measures),
      ...value('limit', options.limit),
      ...flag('include_deleted', options.includeDeleted),
      ...writeConditions(conditionsOf(options.where)),
    ]
    // The contract says what is answered.
    return (await this.#connection.read({ path: `${this.#path}/aggregate`, query }, options)).data as Row[]
  }

  async #change(
    method: 'PUT' | 'PATCH',
    target: Target,
    body: unknown,
    options: ConditionalWriteOptions,
    query?: QueryPair[],
  ): Promise<Row> {
    const { id, etag } = recall(target)
    const changed = await this.#connection.write(
      { method, path: this.#at(id), body, query },
      { ...options, ifMatch: options.ifMatch ?? etag },
    )
    return recordIn(changed, id)
  }

  /** The path of a record. What would lead to another place names no record. */
  #at(id: string | number): string {
    const text = String(id)
    if (text !== '' && text !== '.' && text !== '..') return `${this.#path}/${encodeURIComponent(text)}`
    throw new NotFoundError(`"${text}" is the id of no record.`, { code: 'not_found' })
  }
}

/** What is read, or null where it is not found. */
async function orNull<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof NotFoundError) return null
    throw error
  }
}

function listQuery(options: AnyListOptions): QueryPair[] {
  const { orderBy, limit, offset, after, before, count } = options
  return [
    ...names('sort', typeof orderBy === 'string' ? [orderBy] : orderBy),
    ...value('limit', limit),
    ...value('offset', offset),
    ...(after === undefined ? [] : [cursorPair('after', after)]),
    ...(before === undefined ? [] : [cursorPair('before', before)]),
    ...flag('include_deleted', options.includeDeleted),
    ...value('count', count),
    ...instantPair('at', options.at),
    ...selectionPairs(options),
    ...writeConditions(conditionsOf(options.where)),
  ]
}

function bulkQuery(where: object, { atMost }: AnyBulkOptions): QueryPair[] {
  return [...value('at_most', atMost), ...writeConditions(conditionsOf(where))]
}

function selectionPairs({ fields, include = {} }: Selection): QueryPair[] {
  const included = Object.keys(include).filter((name) => include[name])
  return [...names('fields', fields), ...names('include', included.length > 0 ? included : undefined)]
}

function names(name: string, list: readonly string[] | undefined): QueryPair[] {
  return list === undefined ? [] : [{ name, value: list.join(',') }]
}

function value(name: string, given: string | number | undefined): QueryPair[] {
  return given === undefined ? [] : [{ name, value: String(given) }]
}

/** A record with what is known of it beside it. */
function recordIn(found: Data, id: string): Row {
  return remember(rowOf(found), id, found.answer.headers.get('etag'))
}

function rowOf({ data, answer }: Data): Row {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as Row
  throw strangeError(answer.status, answer.headers.get('x-request-id') ?? undefined)
}
