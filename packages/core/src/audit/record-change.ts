import { hash } from 'node:crypto'
import type { Connection } from '../engine/engine.ts'
import { randomPool, takeRandomBytes } from '../model/random-pool.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { insertRows } from '../query/rows.ts'
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
  readonly image: ImageWriter
}

export function auditSubject(component: string, table: BoundTable): AuditSubject {
  const { model } = table
  return { component, idName: model.id.name, schemaVersion: model.schemaVersion, image: imageWriter(model) }
}

const saltBytes = 16

/** Writes audit entries; the one place that does. */
export class AuditWriter {
  readonly #log: BoundTable
  #lastTimestamp = 0
  #epoch = 1

  constructor(log: BoundTable) {
    this.#log = log
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
      const id = (after ?? before)?.[subject.idName]
      return this.#entry(context, timestamp, operation, {
        component: subject.component,
        recordId: id === undefined ? null : String(id),
        schemaVersion: subject.schemaVersion,
        before: before && subject.image(before),
        after: after && subject.image(after),
      })
    })
    yield* insertRows(this.#log, connection, entries)
  }

  /** Says in the log that what follows in this transaction does not pass through it. */
  *recordUnaudited(connection: Connection, context: UnitContext): Task<void> {
    const about = { component: 'db', recordId: null, schemaVersion: 1, before: null, after: null }
    yield* insertRows(this.#log, connection, [this.#entry(context, this.#now(), 'unaudited', about)])
  }

  #entry(
    context: UnitContext,
    timestamp: Date,
    operation: AuditOperation,
    about: { component: string; recordId: string | null; schemaVersion: number; before: string | null; after: string | null },
  ): FieldValues {
    const salt = makeSalt()
    return {
      id: undefined,
      timestamp,
      component: about.component,
      record_id: about.recordId,
      operation,
      actor: context.actor,
      before: about.before,
      after: about.after,
      request_id: context.requestId,
      transaction_id: context.unitId,
      tenant: context.tenant,
      schema_version: about.schemaVersion,
      epoch: this.#epoch,
      payload_hash: payloadHash(salt, about.before, about.after),
      salt,
    }
  }

  /** Time that never runs backwards within this process: where units run one at a time, entries sort by it as they sort by id. */
  #now(): Date {
    this.#lastTimestamp = Math.max(this.#lastTimestamp, Date.now())
    return new Date(this.#lastTimestamp)
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
