import { Type } from 'typebox'
import { defineSystemModel } from '../model/define-model.ts'
import { Bytes, DateTime } from '../model/field-types.ts'

/** What can stand in an entry's `operation`. */
export const auditOperations = [
  'create',
  'update',
  'delete',
  'soft_delete',
  'restore',
  'purge',
  'erase',
  'restore_database',
  'unaudited',
] as const

/** What an audit entry says was done. `unaudited` marks a transaction that was allowed to write past the log. */
export type AuditOperation = (typeof auditOperations)[number]

const digest = () => Type.Optional(Bytes({ maxLength: 32 }))

/**
 * The audit log: one entry for each record that a write changed, in the same transaction. `before` and `after` are
 * RFC 8785 text. `payload_hash` is SHA-256 over `salt` and the canonical text of `{after, before}`;
 * `seq`, `prev_hash` and `hash` belong to the chain.
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
  },
  {
    indexes: [
      ['component', 'record_id', 'id'],
      ['component', 'id'],
      ['actor', 'id'],
      ['operation', 'id'],
      ['request_id', 'id'],
      ['timestamp', 'id'],
    ],
  },
)

/** One row: where the log of this database stands. The chain extends it. */
export const AuditHead = defineSystemModel('strongroom_audit_head', {
  epoch: Type.Integer(),
  seq: Type.Integer(),
  hash: digest(),
  retained_below: Type.Integer(),
})
