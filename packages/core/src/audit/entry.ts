import type { AnyModel } from '../model/model.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { AuditOperation } from './audit-log.ts'

/** An audit entry as it is read. */
export interface AuditEntry {
  readonly id: number
  readonly timestamp: Date
  readonly component: string
  /** A number for models with integer ids, else text; null for entries about the whole database. */
  readonly record_id: number | string | null
  readonly operation: AuditOperation
  readonly actor: string
  /** The record before the write in wire form, secrets masked; null for a create. */
  readonly before: Readonly<Record<string, unknown>> | null
  /** The record after the write; null for a delete or purge. */
  readonly after: Readonly<Record<string, unknown>> | null
  readonly request_id: string | null
  /** The same for all entries of one unit of work. */
  readonly transaction_id: string
  readonly tenant: string | null
  readonly epoch: number
  /** The place in the chain; null while the entry is not chained. */
  readonly position: number | null
  readonly sealed: boolean
  /** Hexadecimal; null while the entry is not chained. */
  readonly hash: string | null
}

/** Reads an entry out of its row. Ids are numbers where the component's model counts them. */
export function auditEntry(row: FieldValues, modelOf: (component: string) => Pick<AnyModel, 'idType'> | undefined): AuditEntry {
  // The row was read through AuditLog, whose fields have these types.
  const stored = row as {
    id: number
    timestamp: Date
    component: string
    record_id: string | null
    operation: AuditOperation
    actor: string
    before: string | null
    after: string | null
    request_id: string | null
    transaction_id: string
    tenant: string | null
    epoch: number
    seq: number | null
    hash: Uint8Array | null
  }
  const counted = modelOf(stored.component)?.idType === 'integer'
  return {
    id: stored.id,
    timestamp: stored.timestamp,
    component: stored.component,
    record_id: counted && stored.record_id !== null ? Number(stored.record_id) : stored.record_id,
    operation: stored.operation,
    actor: stored.actor,
    before: parseImage(stored.before),
    after: parseImage(stored.after),
    request_id: stored.request_id,
    transaction_id: stored.transaction_id,
    tenant: stored.tenant,
    epoch: stored.epoch,
    position: stored.seq,
    sealed: stored.seq !== null,
    hash: stored.hash && Buffer.from(stored.hash).toString('hex'),
  }
}

function parseImage(text: string | null): Readonly<Record<string, unknown>> | null {
  // The log holds the text of objects only; it wrote them itself.
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>)
}
