import type { Connection } from '../engine/engine.ts'
import { randomPool, takeRandomBytes } from '../model/random-pool.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { appendRows } from '../query/rows.ts'
import { tenantValue } from '../query/scope.ts'
import type { UnitContext } from '../session/context.ts'
import type { Task } from '../session/task.ts'
import type { AuditOperation } from './audit-log.ts'
import { type ChainedEntry, chainEntries } from './chain.ts'
import { changeWithEntry, type LoneChange } from './change-with-entry.ts'
import { headToFollow, writeEntries } from './head-row.ts'
import { type ImageAroundId, type ImageWriter, imageAroundId, imageWriter } from './image.ts'
import { insertWithEntry } from './insert-with-entry.ts'
import { payloadHash } from './payload.ts'

/** What happened to one record. */
export interface AuditedChange {
  readonly before: FieldValues | null
  readonly after: FieldValues | null
}

/** Which records an entry is about. */
export interface AuditSubject {
  readonly component: string
  readonly idName: string
  readonly schemaVersion: number
  /** The field that tells whose record it is. */
  readonly tenantName: string | undefined
  readonly image: ImageWriter
  readonly aroundId: (record: FieldValues) => ImageAroundId
}

export function auditSubject(component: string, table: BoundTable): AuditSubject {
  const { model } = table
  return {
    component,
    idName: model.id.name,
    schemaVersion: model.schemaVersion,
    tenantName: model.tenant?.name,
    image: imageWriter(model),
    aroundId: imageAroundId(model),
  }
}

const saltBytes = 16

/** Writes audit entries; the one place that does. */
export class AuditWriter {
  readonly #log: BoundTable
  readonly #head: BoundTable
  readonly #onPending: () => void
  #lastTimestamp = 0

  /** @param onPending is told of entries that will wait for their seal */
  constructor(log: BoundTable, head: BoundTable, onPending: () => void = () => undefined) {
    this.#log = log
    this.#head = head
    this.#onPending = onPending
  }

  /** One entry for each change, in the unit that makes them. */
  *recordChanges(
    connection: Connection,
    context: UnitContext,
    subject: AuditSubject,
    operation: AuditOperation,
    changes: readonly AuditedChange[],
  ): Task<void> {
    const timestamp = this.#now()
    const entries = changes.map(({ before, after }) => {
      const image = after ?? before
      const id = image?.[subject.idName]
      const tenant = subject.tenantName === undefined ? context.tenant : String(image?.[subject.tenantName])
      return auditEntry(
        { ...context, tenant },
        { timestamp, operation },
        {
          component: subject.component,
          recordId: id === undefined ? null : String(id),
          schemaVersion: subject.schemaVersion,
          before: before && subject.image(before),
          after: after && subject.image(after),
        },
      )
    })
    yield* this.#append(forEntries(connection, context, entries), entries)
  }

  /** Inserts a record with its entry, as the last of the unit: by one statement, which writes the id that the database counts into it. */
  *insertLast(connection: Connection, context: UnitContext, subject: AuditSubject, table: BoundTable, record: FieldValues): Task<void> {
    const id = record[subject.idName]
    const around = id === undefined ? subject.aroundId(record) : undefined
    const tenant = subject.tenantName === undefined ? context.tenant : String(record[subject.tenantName])
    const entry = auditEntry(
      { ...context, tenant },
      { timestamp: this.#now(), operation: 'create' },
      {
        component: subject.component,
        recordId: around ? null : String(id),
        schemaVersion: subject.schemaVersion,
        before: null,
        after: around ? null : subject.image(record),
      },
    )
    yield* insertWithEntry({ table, log: this.#log, head: this.#head }, connection, { record, entry, around })
    this.#onPending()
  }

  /**
   * Changes or removes a record with its entry, as the first and last of the unit, by one statement, which makes the images of the record as it
   * stands. Undefined where it has done nothing: the record is not there or not as it shall be, nothing differs, or the program has to write an image.
   * @returns the fields that are not among the values
   */
  *changeAlone(
    connection: Connection,
    context: UnitContext,
    subject: AuditSubject,
    table: BoundTable,
    change: LoneChange,
  ): Task<FieldValues | undefined> {
    const entry = entryBase(
      context,
      { timestamp: this.#now(), operation: change.operation },
      { component: subject.component, recordId: String(change.id), schemaVersion: subject.schemaVersion },
    )
    const kept = yield* changeWithEntry({ table, log: this.#log, head: this.#head }, connection, context, entry, change)
    if (kept) this.#onPending()
    return kept
  }

  /** Whether `changeAlone` can change a record of the caller's: as of `canInsertLast`. */
  canChangeAlone(connection: Connection, { tenant }: UnitContext, table: BoundTable): boolean {
    if (!connection.concludeAlone || !table.spelt) return false
    if (connection.heldTo('every') === connection) return true
    const field = table.model.tenant
    return tenant !== null && (field === undefined || String(tenantValue(field, tenant)) === tenant)
  }

  /** Whether `insertLast` can insert this record: the entry must be for the eyes of whoever the unit is for. */
  canInsertLast(connection: Connection, { tenant }: UnitContext, subject: AuditSubject, record: FieldValues): boolean {
    if (!connection.conclude || !this.#log.engine.insertWithEntry) return false
    const own = subject.tenantName === undefined ? tenant : String(record[subject.tenantName])
    return (tenant !== null && own === tenant) || connection.heldTo('every') === connection
  }

  /** One entry for each record that is about to lose its history. It has no images. */
  *recordErasures(
    connection: Connection,
    context: UnitContext,
    { component, schemaVersion }: Pick<AuditSubject, 'component' | 'schemaVersion'>,
    records: readonly { readonly recordId: string; readonly tenant: string | null }[],
  ): Task<void> {
    const timestamp = this.#now()
    const entries = records.map(({ recordId, tenant }) =>
      auditEntry(
        { ...context, tenant },
        { timestamp, operation: 'erase' },
        { component, recordId, schemaVersion, before: null, after: null },
      ),
    )
    yield* this.#append(forEntries(connection, context, entries), entries)
  }

  /** Says in the log that what follows in this transaction does not pass through it. */
  *recordUnaudited(connection: Connection, context: UnitContext): Task<void> {
    const about = { component: 'db', recordId: null, schemaVersion: 1, before: null, after: null }
    const entry = auditEntry(context, { timestamp: this.#now(), operation: 'unaudited' }, about)
    yield* this.#append(forEntries(connection, context, [entry]), [entry])
  }

  /**
   * Where units run one at a time the entries get their places at once. Elsewhere a unit that took the head would keep all others from
   * committing: its entries are sealed after its commit.
   */
  *#append(connection: Connection, entries: readonly NewEntry[]): Task<void> {
    if (entries.length === 0) return
    if (!this.#log.engine.capabilities.serialWrites) {
      // Read by the statement itself: a restore locks both tables together.
      yield* appendRows(this.#log, connection, entries, {
        epoch: this.#log.engine.builder.selectFrom(this.#head.model.name).select('epoch'),
      })
      this.#onPending()
      return
    }
    const tables = { log: this.#log, head: this.#head }
    const { places, head } = chainEntries(yield* headToFollow(tables, connection), entries)
    const placed = entries.map((entry, index) => Object.assign(entry, places[index]))
    // They are sealed as they are written.
    yield* writeEntries(tables, connection, placed, { stand: head, sealedAt: entries[0]?.timestamp ?? this.#now() })
  }

  /** Time that never runs backwards within this process: where units run one at a time, entries sort by it as they sort by id. */
  #now(): Date {
    this.#lastTimestamp = Math.max(this.#lastTimestamp, Date.now())
    return new Date(this.#lastTimestamp)
  }
}

/** What is done is logged, also where whoever does it could not read the entry: by one of no tenant, or whose tenant is spelt otherwise. */
function forEntries(connection: Connection, { tenant }: UnitContext, entries: readonly NewEntry[]): Connection {
  const isOwn = tenant !== null && entries.every((entry) => entry.tenant === tenant)
  return isOwn ? connection : connection.heldTo('every')
}

/** What an entry is about. */
export interface AuditedThing {
  readonly component: string
  readonly recordId: string | null
  readonly schemaVersion: number
  /** Canonical JSON. */
  readonly before: string | null
  readonly after: string | null
}

/** An entry that has no place in the log yet, in code form. */
export type NewEntry = FieldValues & ChainedEntry

/** An entry of the log, which gets its id and its place from whoever writes it. */
export function auditEntry(
  context: Pick<UnitContext, 'actor' | 'requestId' | 'unitId' | 'tenant'>,
  when: { readonly timestamp: Date; readonly operation: AuditOperation },
  { component, recordId, schemaVersion, before, after }: AuditedThing,
): NewEntry {
  const base = entryBase(context, when, { component, recordId, schemaVersion })
  return { ...base, before, after, payload_hash: payloadHash(base.salt, before, after) }
}

/** The same without what depends on the images. */
function entryBase(
  context: Pick<UnitContext, 'actor' | 'requestId' | 'unitId' | 'tenant'>,
  { timestamp, operation }: { readonly timestamp: Date; readonly operation: AuditOperation },
  { component, recordId, schemaVersion }: Omit<AuditedThing, 'before' | 'after'>,
) {
  return {
    timestamp,
    component,
    record_id: recordId,
    operation,
    actor: context.actor,
    before: null,
    after: null,
    request_id: context.requestId,
    transaction_id: context.unitId,
    tenant: context.tenant,
    schema_version: schemaVersion,
    payload_hash: null,
    salt: makeSalt(),
  }
}

function makeSalt(): Uint8Array {
  const start = takeRandomBytes(saltBytes)
  return new Uint8Array(randomPool.subarray(start, start + saltBytes))
}
