import { hash } from 'node:crypto'
import type { Connection } from '../engine/engine.ts'
import { randomPool, takeRandomBytes } from '../model/random-pool.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { everything } from '../query/filter.ts'
import { appendRows, selectRows } from '../query/rows.ts'
import type { UnitContext } from '../session/context.ts'
import type { Task } from '../session/task.ts'
import type { AuditOperation } from './audit-log.ts'
import { type ImageWriter, imageWriter } from './image.ts'

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
}

export function auditSubject(component: string, table: BoundTable): AuditSubject {
  const { model } = table
  return { component, idName: model.id.name, schemaVersion: model.schemaVersion, tenantName: model.tenant?.name, image: imageWriter(model) }
}

const saltBytes = 16

/** Milliseconds for which an epoch that was read is trusted, where a unit cannot read it at no cost. */
const epochTrust = 1_000

/** Writes audit entries; the one place that does. */
export class AuditWriter {
  readonly #log: BoundTable
  readonly #head: BoundTable
  #lastTimestamp = 0
  /** The epoch as it was read last. */
  #known: { readonly unitId: string; readonly epoch: number; readonly readAt: number } | undefined

  constructor(log: BoundTable, head: BoundTable) {
    this.#log = log
    this.#head = head
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
    const epoch = yield* this.#epoch(connection, context)
    const entries = changes.map(({ before, after }) => {
      const image = after ?? before
      const id = image?.[subject.idName]
      const tenant = subject.tenantName === undefined ? context.tenant : String(image?.[subject.tenantName])
      return auditEntry(
        { ...context, tenant },
        { timestamp, epoch, operation },
        {
          component: subject.component,
          recordId: id === undefined ? null : String(id),
          schemaVersion: subject.schemaVersion,
          before: before && subject.image(before),
          after: after && subject.image(after),
        },
      )
    })
    yield* appendRows(this.#log, connection, entries)
  }

  /** Says in the log that what follows in this transaction does not pass through it. */
  *recordUnaudited(connection: Connection, context: UnitContext): Task<void> {
    const epoch = yield* this.#epoch(connection, context)
    const about = { component: 'db', recordId: null, schemaVersion: 1, before: null, after: null }
    yield* appendRows(this.#log, connection, [auditEntry(context, { timestamp: this.#now(), epoch, operation: 'unaudited' }, about)])
  }

  /** Reads the epoch again before the next entry: the database has been restored. */
  forgetEpoch(): void {
    this.#known = undefined
  }

  /** Another process may restore the database. Where reading costs a round trip, an epoch is trusted for a moment. */
  *#epoch(connection: Connection, { unitId }: UnitContext): Task<number> {
    const known = this.#known
    const isFresh = (): boolean => !this.#log.engine.capabilities.oneFile && performance.now() - (known?.readAt ?? 0) < epochTrust
    if (known && (known.unitId === unitId || isFresh())) return known.epoch
    const [head] = yield* selectRows(this.#head, connection, undefined, { filter: everything, includeDeleted: true, order: [] })
    // The field is an integer, and the one row was made with the tables.
    const epoch = (head?.['epoch'] as number | undefined) ?? 1
    this.#known = { unitId, epoch, readAt: performance.now() }
    return epoch
  }

  /** Time that never runs backwards within this process: where units run one at a time, entries sort by it as they sort by id. */
  #now(): Date {
    this.#lastTimestamp = Math.max(this.#lastTimestamp, Date.now())
    return new Date(this.#lastTimestamp)
  }
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

/** An entry of the log, in code form. */
export function auditEntry(
  context: Pick<UnitContext, 'actor' | 'requestId' | 'unitId' | 'tenant'>,
  when: { readonly timestamp: Date; readonly epoch: number; readonly operation: AuditOperation },
  { component, recordId, schemaVersion, before, after }: AuditedThing,
): FieldValues {
  const salt = makeSalt()
  return {
    id: undefined,
    timestamp: when.timestamp,
    component,
    record_id: recordId,
    operation: when.operation,
    actor: context.actor,
    before,
    after,
    request_id: context.requestId,
    transaction_id: context.unitId,
    tenant: context.tenant,
    schema_version: schemaVersion,
    epoch: when.epoch,
    payload_hash: payloadHash(salt, before, after),
    salt,
  }
}

function makeSalt(): Uint8Array {
  const start = takeRandomBytes(saltBytes)
  return new Uint8Array(randomPool.subarray(start, start + saltBytes))
}

/** SHA-256 over the salt and the canonical text of both images; erasing the payload keeps the hash. */
export function payloadHash(salt: Uint8Array, before: string | null, after: string | null): Uint8Array {
  const text = `{"after":${after ?? 'null'},"before":${before ?? 'null'}}`
  return new Uint8Array(hash('sha256', Buffer.concat([salt, Buffer.from(text)]), 'buffer'))
}
