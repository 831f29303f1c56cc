import { accountFields, accountOptions } from '@strongroom/auth'
import { DateTime, defineModel, Json, ModelAccessor } from '@strongroom/core'
import { Type } from 'typebox'

const Name = Type.String({ minLength: 1, maxLength: 200 })
const Step = Type.Object({ name: Type.String(), at_ms: Type.Number(), detail: Type.Optional(Type.Unknown()) })

/** `roles`: admin, shipper (a service, whose tenant is its client), reader. */
export const User = defineModel('users', accountFields, { ...accountOptions, stamps: true })

/** One run of a workflow of a client. `client_id` is the tenant: it comes from the key, and every statement is held to it. */
export const Log = defineModel(
  'logs',
  {
    client_id: Type.String({ minLength: 1, maxLength: 100 }),
    /** Made by whoever ships, so that a record which arrives twice is kept once. */
    key: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    ticket_id: Name,
    workflow: Name,
    status: Type.Enum(['success', 'failure']),
    category: Name,
    executed_at: DateTime(),
    duration_ms: Type.Number({ minimum: 0 }),
    metrics: Json(Type.Record(Type.String(), Type.Number())),
    payload: Type.Optional(Json()),
    trace: Json(Type.Array(Step, { maxItems: 10_000 })),
  },
  {
    id: { name: 'log_id', type: 'uuid' },
    tenant: 'client_id',
    unique: [['client_id', 'key']],
    indexes: [
      ['client_id', 'executed_at'],
      ['client_id', 'ticket_id'],
      ['client_id', 'status', 'executed_at'],
      ['client_id', 'category', 'executed_at'],
    ],
  },
)

export const users = new ModelAccessor(User, 'users')
export const logs = new ModelAccessor(Log, 'log_records')
