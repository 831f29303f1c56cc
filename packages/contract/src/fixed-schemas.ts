import { logVerdictSchema } from './audit-evidence.ts'
import { closed } from './closed-schema.ts'
import { errorCatalogue } from './error-codes.ts'
import type { WireSchema } from './route.ts'

const text: WireSchema = { type: 'string' }
const textOrNull: WireSchema = { type: ['string', 'null'] }
const image: WireSchema = { type: ['object', 'null'], additionalProperties: true }

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

/** The next changes. `reset` says that the database was restored since `after`. */
export function changesSchema(entry: WireSchema): WireSchema {
  return closed({ changes: { type: 'array', items: entry }, next: { type: 'string', pattern: '^\\d+:\\d+$' }, reset: { type: 'boolean' } })
}

/** What is wrong with one thing; of an import also where it stands. */
const fault = closed({ path: text, message: text, file: text, line: { type: 'integer' }, field: text }, ['path', 'message'])

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
    errors: { type: 'array', items: fault },
    error_count: { type: 'integer' },
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
      errors: { type: 'array', items: fault },
      error_count: { type: 'integer' },
    },
    ['code', 'title', 'instance', 'request_id'],
  ),
})

const word: WireSchema = { type: 'string', minLength: 1 }
const instant: WireSchema = { type: 'string', format: 'date-time' }
const size: WireSchema = { type: 'integer', minimum: 0 }
const sizeOrNull: WireSchema = { type: ['integer', 'null'], minimum: 0 }
const duration: WireSchema = { type: 'number', minimum: 0 }

const backupProperties = {
  name: text,
  place: text,
  bytes: sizeOrNull,
  created_at: instant,
  verified: { type: ['boolean', 'null'] },
  error: textOrNull,
}

/** A scheduled backup: `bytes` is null where there is no file, `verified` until it was checked. */
export const backupSchema = closed(backupProperties)

/** That all is well; details are for operators. */
export const statusSchema = closed(
  {
    status: { const: 'ok' },
    engine: text,
    latency_ms: duration,
    database_bytes: size,
    wal_bytes: sizeOrNull,
    free_disk_bytes: sizeOrNull,
    schema: closed({
      fits: { type: 'boolean' },
      differences: { type: 'array', items: text },
      leftovers: { type: 'array', items: text },
    }),
    migrations: closed({
      pending: { type: 'array', items: text },
      changed: { type: 'array', items: text },
      missing: { type: 'array', items: text },
    }),
    last_backup: { anyOf: [closed({ ...backupProperties, age_seconds: duration }), { type: 'null' }] },
    backup_under_way: { anyOf: [closed({ name: text, place: text, created_at: instant, age_seconds: duration }), { type: 'null' }] },
    backup_error: textOrNull,
    queue: closed({ running: size, waiting: size, longest_wait_ms: duration }),
    audit: closed({
      epoch: { type: 'integer' },
      last_entry: { anyOf: [closed({ id: { type: 'integer' }, timestamp: instant }), { type: 'null' }] },
      seal_lag_ms: duration,
    }),
  },
  ['status'],
)

/** What a restored record is answered with. */
export const restorationSchema = closed({ status: { const: 'ok' }, restored: { type: 'boolean' } })

/** Where a record shall go back to: an instant, or the id of one of its audit entries. */
export const revertTargetSchema = closed({
  to: {
    anyOf: [
      { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      { type: 'string', format: 'date-time' },
    ],
  },
})

/** What is to be undone, and how: one of `request_id`, `batch`, `import` and `actor` is said. */
export const revertQuestionSchema: WireSchema = {
  ...closed(
    {
      request_id: word,
      batch: word,
      import: word,
      actor: word,
      since: { type: 'string', format: 'date-time' },
      until: { type: 'string', format: 'date-time' },
      conflicts: { type: 'string', enum: ['refuse', 'skip'], default: 'refuse' },
      at_most: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 100_000 },
    },
    [],
  ),
  oneOf: [{ required: ['request_id'] }, { required: ['batch'] }, { required: ['import'] }, { required: ['actor', 'since'] }],
}

/** What a revert of many changes did, or would do. */
export const revertReportSchema = closed({
  applied: { type: 'boolean' },
  dry_run: { type: 'boolean' },
  request_id: text,
  components: {
    type: 'array',
    items: closed({ component: text, created: size, updated: size, restored: size, deleted: size, unchanged: size }),
  },
  conflicts: {
    type: 'array',
    items: closed({
      component: text,
      record_id: { type: ['integer', 'string', 'null'] },
      reason: text,
      message: text,
      entry_id: { type: ['integer', 'null'] },
    }),
  },
  conflict_count: size,
})

/** What became of a record between two moments: `from` and `to` are the record at each, null where it was not there. */
export function diffSchema(record: WireSchema, fields: readonly string[]): WireSchema {
  const change = closed({ field: { type: 'string', enum: fields }, from: {}, to: {} })
  const orNull = { anyOf: [record, { type: 'null' }] }
  return closed({ from: orNull, to: orNull, changes: { type: 'array', items: change } })
}

const count: WireSchema = { type: 'integer', minimum: 0 }

/** What a restore of the database did, or would do. */
export const restoreReportSchema = closed({
  status: { const: 'ok' },
  restored: { type: 'boolean' },
  bytes: count,
  sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  tables: { type: 'array', items: closed({ table: text, now: count, in_file: { type: ['integer', 'null'], minimum: 0 } }) },
  audit: logVerdictSchema,
  since: closed({ entries: count, last_entry: textOrNull, same_history: { type: 'boolean' } }),
  migrations: { type: 'array', items: text },
  safety_copy: textOrNull,
  epoch: { type: ['integer', 'null'] },
})

const flag: WireSchema = { type: 'boolean' }

/** What an import did, or would do. */
export const importReportSchema = closed({
  applied: flag,
  dry_run: flag,
  transaction_id: textOrNull,
  tables: {
    type: 'array',
    items: closed({ table: text, component: text, rows: count, inserted: count, updated: count, unchanged: count }),
  },
  skipped: { type: 'array', items: closed({ file: text, table: text, reason: text }) },
  errors: { type: 'array', items: closed({ file: text, line: count, field: text, message: text }) },
  error_count: count,
})

/** What retention has removed: `components` has the first position that each wants to keep. */
const retentionReportSchema = closed({
  removed: count,
  horizon: count,
  components: { type: 'object', additionalProperties: { type: ['integer', 'null'] } },
})

/** Long work that goes on by itself. */
export const jobSchema = closed({
  id: { type: 'string', format: 'uuid' },
  kind: { type: 'string', enum: ['import', 'retention'] },
  state: { type: 'string', enum: ['running', 'done', 'failed', 'cancelled'] },
  actor: text,
  request_id: textOrNull,
  started_at: instant,
  finished_at: { anyOf: [instant, { type: 'null' }] },
  cancel_requested: flag,
  progress: {
    anyOf: [
      closed({ phase: { type: 'string', enum: ['reading', 'writing'] }, rows: count, bytes: count }),
      closed({ phase: { type: 'string', enum: ['removing'] }, entries: count }),
    ],
  },
  result: { anyOf: [importReportSchema, retentionReportSchema, { type: 'null' }] },
  error: { anyOf: [closed({ code: { type: 'string', enum: Object.keys(errorCatalogue) }, message: text }), { type: 'null' }] },
})

const words: WireSchema = { type: 'array', items: text }

/** What may be asked of the rules of access. */
export const accessQuestionSchema = closed(
  {
    component: text,
    operation: { type: 'string', enum: ['read', 'create', 'update', 'delete', 'restore', 'purge'] },
    principal: closed({ id: { type: ['integer', 'string', 'null'] }, name: text, roles: words, scopes: words, tenant: textOrNull }, ['id']),
    id: { type: ['integer', 'string'] },
  },
  ['component', 'operation', 'principal'],
)

/** What the rules say, and why. */
export const accessAnswerSchema = closed({
  allowed: flag,
  rule: text,
  reason: text,
  fields: closed({ hidden: words, locked: words }),
})

/** What the deletion of all records of a filter is answered with. */
export const bulkDeletionSchema = closed({ status: { const: 'deleted' }, count: { type: 'integer', minimum: 0 } })

/** What an erased record is answered with: nothing of it. */
export function erasureSchema(id: WireSchema): WireSchema {
  return closed({ status: { const: 'erased' }, id })
}

/** What a deleted record is answered with. */
export function deletionSchema(id: WireSchema, record: WireSchema): WireSchema {
  return closed({ status: { const: 'deleted' }, id, record })
}
