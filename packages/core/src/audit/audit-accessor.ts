import { auditOperations } from '@strongroom/contract'
import type { EngineCapabilities } from '../engine/engine.ts'
import { InvalidQueryError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { isText } from '../query/comparable.ts'
import { allOf, equals, type Filter, heldTo } from '../query/filter.ts'
import { positionField } from '../query/log-position.ts'
import type { SortKey } from '../query/order.ts'
import { selectPage } from '../query/page.ts'
import { countRows, selectRows } from '../query/rows.ts'
import { type SelectOptions, selectStatement } from '../query/select.ts'
import { wholeNumber } from '../query/whole-number.ts'
import type { CallerContext } from '../session/context.ts'
import { inContextOfCall } from '../session/in-context.ts'
import { reachOf } from '../session/reach.ts'
import type { Units } from '../session/units.ts'
import type { AuditOperation } from './audit-log.ts'
import type { AuditOrder } from './audit-order.ts'
import { type AuditEntry, auditEntry } from './entry.ts'
import type { LogTables } from './seal-pending.ts'
import { type ImageLimits, shownEntry } from './shown-entry.ts'

/** Which audit entries are asked for; everything that is given must hold. */
export interface AuditQuery {
  readonly component?: string
  readonly record_id?: number | string
  readonly actor?: string
  readonly operation?: AuditOperation
  readonly request_id?: string
  readonly transaction_id?: string
  /** From this instant on. */
  readonly since?: Date
  /** Before this instant. */
  readonly until?: Date
}

export interface AuditPage extends AuditQuery {
  /** The most entries to answer; all when it is left out. */
  readonly limit?: number
  readonly offset?: number
}

/** Which page of the log: the newest entries, or those that follow a cursor. */
export interface AuditCursorPage extends AuditPage {
  /** The `next` of the page before, which asked for the same. */
  readonly after?: string
}

/** What the log is read with. */
export interface AuditParts {
  readonly tables: LogTables
  readonly order: AuditOrder
  readonly units: Units
  readonly modelOf: (component: string) => Pick<AnyModel, 'idType'> | undefined
  /** How the images of a component are shown to a caller; whole unless said. */
  readonly limits?: LimitsOf
}

/**
 * Reads the audit log. Nothing writes to it but the writes that it tells of.
 *
 * @example
 * const entries = await storage.audit.find({ component: 'users', record_id: 7, limit: 20 })
 * entries[0].actor // who changed user 7 last
 */
export class AuditAccessor {
  readonly #log: BoundTable
  readonly #order: AuditOrder
  readonly #units: Units
  readonly #modelOf: (component: string) => Pick<AnyModel, 'idType'> | undefined
  readonly #limits: LimitsOf

  constructor({ tables, order, units, modelOf, limits = () => undefined }: AuditParts) {
    this.#log = tables.log
    this.#order = order
    this.#units = units
    this.#modelOf = modelOf
    this.#limits = limits
  }

  /**
   * Waits until every entry that is committed now has its `position`: on SQLite it has one at once, on PostgreSQL within a second, and here
   * sooner; after a write of a million records a minute later. In a transaction it does not wait.
   * @throws StorageBusyError when the log is being sealed for longer than two minutes
   * @throws StorageUnavailableError when the log cannot be sealed
   * @example
   * await storage.audit.waitUntilSealed()
   * const { position, hash } = (await storage.audit.get(1)) ?? {}
   */
  async waitUntilSealed(): Promise<void> {
    await this.#order.waitUntilSealed(new Date())
  }

  /** The entry with this id, or null. */
  async get(id: number): Promise<AuditEntry | null> {
    if (!Number.isSafeInteger(id)) return null
    const [entry] = await this.#select({ filter: equals('id', id), includeDeleted: true, order: [] })
    return entry ?? null
  }

  /**
   * The entries that hold the query, newest first: by id; those of one actor or operation, or in a range of time, by time and then id; those of one record, request
   * or transaction always by id. Those of one component come by position where entries have theirs at once (SQLite), else by id. The orders differ only for units that overlapped and where a clock was set back; each record's entries come
   * in the order of its writes by id. An entry is there once its unit has committed, which may be after a later one was read.
   * @throws InvalidQueryError for a filter, operation or number that is none
   */
  async find(query: AuditPage = {}): Promise<AuditEntry[]> {
    return this.#select(this.#selection(query))
  }

  /**
   * One page of the entries that hold the query, newest first (100 unless `limit` says otherwise), and the cursor of the next page.
   * @throws InvalidQueryError for a cursor that is none, or of another question
   */
  async page(query: AuditCursorPage = {}): Promise<{ readonly entries: AuditEntry[]; readonly next?: string }> {
    const { after, ...page } = query
    const { order, limit = defaultPageSize, ...selection } = this.#selection(page)
    if (after !== undefined && selection.offset)
      throw new InvalidQueryError('A page starts at an offset or after a cursor; give one of them.')
    const { rows, next } = await this.#units.read({}, (connection, context) =>
      selectPage(this.#log, connection, context, { ...selection, keys: order, limit, after }),
    )
    return { entries: rows.map((row) => this.#entry(row)), ...(next !== undefined && { next }) }
  }

  /** The newest entry that holds the query, or null. */
  async findOne(query: AuditQuery = {}): Promise<AuditEntry | null> {
    const [entry] = await this.find({ ...query, limit: 1 })
    return entry ?? null
  }

  /** How many entries hold the query. */
  async count(query: AuditQuery = {}): Promise<number> {
    const options = this.#selection(query)
    return this.#units.read({}, (connection, context) => countRows(this.#log, connection, context, options))
  }

  /** The entries that hold the query, newest first, from one snapshot and in constant memory (in a transaction they are read at once). */
  stream(query: AuditPage = {}): AsyncGenerator<AuditEntry, void, undefined> {
    return inContextOfCall(this.#stream(query))
  }

  async *#stream(query: AuditPage): AsyncGenerator<AuditEntry, void, undefined> {
    if (this.#units.current()) {
      yield* await this.#select(this.#selection(query), { timed: false })
      return
    }
    const caller = this.#units.callerOf({})
    const statement = selectStatement(this.#log, { ...caller, asked: true }, this.#selection(query))
    for await (const rows of this.#log.engine.stream(statement, streamChunk, reachOf(caller)))
      for (const row of rows) yield this.#entry(this.#log.decode(row))
  }

  #selection(query: AuditPage): SelectOptions {
    return auditSelection(query, this.#log.engine.capabilities)
  }

  async #select(options: SelectOptions, reading?: { readonly timed: boolean }): Promise<AuditEntry[]> {
    const rows = await this.#units.read({}, (connection, context) => selectRows(this.#log, connection, context, options), reading)
    return rows.map((row) => this.#entry(row))
  }

  /** An entry as the caller may read it. */
  #entry(row: FieldValues): AuditEntry {
    const entry = auditEntry(row, this.#modelOf)
    return shownEntry(entry, this.#limits(entry.component, this.#units.callerOf({})))
  }
}

/** How the images of a component are shown to a caller. */
type LimitsOf = (component: string, caller: CallerContext) => ImageLimits | undefined

/** So many entries are held in memory at a time by a stream. */
const streamChunk = 500

/** Entries on a page when nobody says. */
const defaultPageSize = 100

const textFilters = ['component', 'actor', 'request_id', 'transaction_id'] as const
const pageNames = new Set<string>([...textFilters, 'record_id', 'operation', 'since', 'until', 'limit', 'offset'])

/** What a query of the log selects: newest first, by an order that an index has. */
export function auditSelection(
  query: AuditPage,
  { serialWrites }: Pick<EngineCapabilities, 'serialWrites'> = { serialWrites: false },
): SelectOptions {
  for (const name of Object.keys(query)) {
    if (!pageNames.has(name))
      throw new InvalidQueryError(`"${name}" is no filter of the audit log. There are ${[...pageNames].join(', ')}.`)
  }
  const held = heldFilter(query)
  const is = (name: keyof AuditQuery, value: string): Filter => (name === held ? heldTo(name, value) : equals(name, value))
  const parts: Filter[] = textFilters.flatMap((name) => (query[name] === undefined ? [] : [is(name, text(name, query[name]))]))
  if (query.record_id !== undefined) parts.push(equals('record_id', text('record_id', String(query.record_id))))
  if (query.operation !== undefined) parts.push(is('operation', operation(query.operation)))
  if (query.since !== undefined)
    parts.push({ type: 'compare', field: 'timestamp', comparison: 'gte', value: instant('since', query.since) })
  if (query.until !== undefined) parts.push({ type: 'compare', field: 'timestamp', comparison: 'lt', value: instant('until', query.until) })
  const order = serialWrites && held === 'component' ? byPosition : newestFirst(query)
  // Of several filters one has an index with this order; a range of time alone has one for each operation.
  if (serialWrites && held === undefined && order.some(({ field }) => field === 'timestamp'))
    parts.push({ type: 'each', field: 'operation', values: auditOperations })
  return {
    filter: allOf(...parts),
    includeDeleted: true,
    order,
    limit: wholeNumber('limit', query.limit),
    offset: wholeNumber('offset', query.offset),
  }
}

/** Where entries have their positions as they are written, these are one order with the ids, but for what was moved here, and they have the index. */
const byPosition: readonly SortKey[] = [positionField, 'id'].map((field) => ({ field, descending: true }))

/**
 * By id, which for each record is the order of its writes. What one actor did, one operation or a range of time is sorted by time first, as the
 * index is, unless the entries are those of one record, request or transaction, which are few. Entries of units that overlap have ids and
 * times in different orders (both are drawn before the commits), and so has a log whose clock was set back.
 */
function newestFirst(query: AuditQuery): SortKey[] {
  const byId: SortKey[] = [{ field: 'id', descending: true }]
  const byTime = [query.actor, query.operation, query.since, query.until].some((part) => part !== undefined)
  return byTime && !isOfFew(query) ? [{ field: 'timestamp', descending: true }, ...byId] : byId
}

function isOfFew({ request_id, transaction_id, component, record_id }: AuditQuery): boolean {
  return request_id !== undefined || transaction_id !== undefined || (component !== undefined && record_id !== undefined)
}

/** The filter whose index has the entries in the order that is wanted: of several the one that mostly leaves the fewest. */
function heldFilter(query: AuditQuery): 'actor' | 'operation' | 'component' | undefined {
  if (isOfFew(query)) return undefined
  if (query.actor !== undefined) return 'actor'
  if (query.operation !== undefined) return 'operation'
  // Its index has them by id.
  return query.since === undefined && query.until === undefined && query.component !== undefined ? 'component' : undefined
}

function text(name: string, value: unknown): string {
  if (isText(value)) return value
  throw new InvalidQueryError(`${name} of the audit log is compared with text.`)
}

function operation(value: string): string {
  if (auditOperations.some((known) => known === value)) return value
  throw new InvalidQueryError(`"${value}" is no operation. There are ${auditOperations.join(', ')}.`)
}

function instant(name: string, value: unknown): Date {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value
  throw new InvalidQueryError(`${name} takes an instant, e.g. new Date().`)
}
