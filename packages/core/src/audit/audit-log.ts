import { auditOperations } from '@strongroom/contract'
import { Type } from 'typebox'
import { defineSystemModel } from '../model/define-model.ts'
import { Bytes, DateTime } from '../model/field-types.ts'

/** What an audit entry says was done. `unaudited` marks a transaction that was allowed to write past the log. */
export type AuditOperation = (typeof auditOperations)[number]

const digest = () => Type.Optional(Bytes({ maxLength: 32 }))

/**
 * The audit log: one entry for each record that a write changed, in the same transaction. `before` and `after` are
 * RFC 8785 text. `payload_hash` is SHA-256 over `salt` and the canonical text of `{after, before}`.
 *
 * `seq` is the entry's position, the one order of history; it is null while the entry waits for its seal. `effective_at` is when the entry's
 * transaction counts as done: it never runs backwards from one position to the next. Entries that were sealed together are one link of
 * the chain: they have the same `prev_hash` and `hash`, and `leaf` is then each one's own part. docs/reference/audit-format.md tells what is hashed.
 */
export const AuditLog = defineSystemModel(
  'strongroom_audit_log',
  {
    timestamp: DateTime(),
    component: Type.String(),
    record_id: Type.Optional(Type.String()),
    operation: Type.Enum([...auditOperations]),
    actor: Type.String(),
    before: Type.Optional(Type.String()),
    after: Type.Optional(Type.String()),
    request_id: Type.Optional(Type.String()),
    transaction_id: Type.String(),
    tenant: Type.Optional(Type.String()),
    schema_version: Type.Integer(),
    epoch: Type.Integer(),
    seq: Type.Optional(Type.Integer()),
    prev_hash: digest(),
    hash: digest(),
    payload_hash: digest(),
    salt: Type.Optional(Bytes({ maxLength: 16 })),
    effective_at: Type.Optional(DateTime()),
    leaf: digest(),
  },
  {
    indexes: [
      ['component', 'record_id', 'id'],
      ['actor', 'timestamp', 'id'],
      ['operation', 'timestamp', 'id'],
      ['transaction_id', 'id'],
      ['component', 'seq'],
    ],
  },
  // Each index costs every write its part. Elsewhere entries have their positions at once, and are listed and found by these within each component; those of a
  // range of time are merged from what the index of operations has of each.
  {
    unique: [['seq']],
    indexes: [
      ['component', 'id'],
      ['timestamp', 'id'],
    ],
  },
  // Who writes without a request has nothing that this would find: in an index of all entries each has its place, and costs the write a page.
  [['request_id', 'id']],
)

/** The id of the head's row. */
export const headId = 1

/** One row: where the log of this database stands. */
export const AuditHead = defineSystemModel('strongroom_audit_head', {
  /** Grows with each restore. */
  epoch: Type.Integer(),
  /** The last position. */
  seq: Type.Integer(),
  /** The hash of the last link. */
  hash: digest(),
  /** Entries below this position were removed, or may be. */
  retained_below: Type.Integer(),
  /** Names the log: its first link hangs on it. */
  origin: Type.Optional(Type.String()),
  /** No entry after this one counts as done before. */
  effective_at: Type.Optional(DateTime()),
  /** The transaction of the last entry. */
  transaction_id: Type.Optional(Type.String()),
  /** The highest id of an entry that has a position. */
  last_entry: Type.Optional(Type.Integer()),
  sealed_at: Type.Optional(DateTime()),
  /** The hash of the last link whose entries were removed, and what is left of their roots. */
  retained_hash: digest(),
  retained_roots: Type.Optional(Bytes({ maxLength: 64 * 32 })),
})
