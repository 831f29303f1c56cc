import { errorCatalogue } from './error-codes.ts'
import type { WireSchema } from './route.ts'

const text: WireSchema = { type: 'string' }
const textOrNull: WireSchema = { type: ['string', 'null'] }
const image: WireSchema = { type: ['object', 'null'], additionalProperties: true }

function closed(properties: Readonly<Record<string, WireSchema>>, required = Object.keys(properties)): WireSchema {
  return { type: 'object', additionalProperties: false, required, properties }
}

/** An audit entry, newest things first known: `position` and `hash` are null while the entry is not chained. */
export const auditEntrySchema = closed({
  id: { type: 'integer' },
  timestamp: { type: 'string', format: 'date-time' },
  component: text,
  record_id: { type: ['integer', 'string', 'null'] },
  operation: text,
  actor: text,
  before: image,
  after: image,
  request_id: textOrNull,
  transaction_id: text,
  tenant: textOrNull,
  epoch: { type: 'integer' },
  position: { type: ['integer', 'null'] },
  sealed: { type: 'boolean' },
  hash: textOrNull,
})

/** An error as RFC 9457 has it. */
export const problemSchema = closed(
  {
    type: text,
    title: text,
    status: { type: 'integer' },
    detail: text,
    message: text,
    instance: text,
    code: { type: 'string', enum: Object.keys(errorCatalogue) },
    request_id: text,
    operation: { type: 'integer' },
    errors: { type: 'array', items: closed({ path: text, message: text }) },
  },
  ['type', 'title', 'status', 'detail', 'message', 'instance', 'code', 'request_id'],
)

/** An error in an envelope. */
export const failureSchema = closed({
  success: { const: false },
  message: text,
  status_code: { type: 'integer' },
  details: closed(
    {
      code: { type: 'string', enum: Object.keys(errorCatalogue) },
      title: text,
      instance: text,
      request_id: text,
      operation: { type: 'integer' },
      errors: { type: 'array', items: closed({ path: text, message: text }) },
    },
    ['code', 'title', 'instance', 'request_id'],
  ),
})

/** That all is well; details are for operators. */
export const statusSchema = closed({ status: { const: 'ok' }, engine: text, latency_ms: { type: 'number' } }, ['status'])

/** What a restored record is answered with. */
export const restorationSchema = closed({ status: { const: 'ok' }, restored: { type: 'boolean' } })

/** What the deletion of all records of a filter is answered with. */
export const bulkDeletionSchema = closed({ status: { const: 'deleted' }, count: { type: 'integer', minimum: 0 } })

/** What a deleted record is answered with. */
export function deletionSchema(id: WireSchema, record: WireSchema): WireSchema {
  return closed({ status: { const: 'deleted' }, id, record })
}
