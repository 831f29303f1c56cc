import { answerHeaders, type Content, type Route, type RouteAnswer, successSchema, type WireSchema } from '@strongroom/contract'
import { type AnyModel, jsonSchemaOf } from '@strongroom/core'
import { visibleFields } from '../query.ts'
import { exampleOf, exampleRecord } from './example-value.ts'
import { type DescribedComponent, type OpenApiSource, propertiesOf } from './source.ts'

/** What an example is made for: a component's route, or one that belongs to none. */
export interface ExampleSubject {
  readonly source: OpenApiSource
  readonly described?: DescribedComponent | undefined
}

/** An example of what a body or answer holds; undefined where there is none. */
export function contentExample(content: Content, { source, described }: ExampleSubject): unknown {
  const fixed = fixedExamples[content]
  if (fixed !== undefined) return fixed
  const [first] = source.components
  if (content === 'accessQuestion')
    return first && { component: first.component, operation: 'update', principal: { id: 7, roles: ['member'] } }
  if (content === 'batch') return first && batchExample(first)
  if (content === 'batchResults')
    return (
      first && whole(recordExample(first.model), (record) => ({ results: [{ status: 201, record, etag: answerHeaders.ETag.example }] }))
    )
  return described && modelExample(content, described.model)
}

function modelExample(content: Content, model: AnyModel): unknown {
  switch (content) {
    case 'record':
    case 'recordOrRecords':
    case 'selectedRecord':
      return recordExample(model)
    case 'records':
    case 'selectedRecords':
      return whole(recordExample(model), (record) => [record])
    case 'newRecord':
      return bodyExample(model, 'insert')
    case 'newRecords':
      return whole(bodyExample(model, 'insert'), (record) => [record])
    case 'savedRecord':
    case 'recordPatch':
      return patchExample(model)
    case 'deletion':
      return whole(recordExample(model), (record) => ({ status: 'deleted', id: record[model.id.name], record }))
    case 'recordDiff':
      return diffExample(model)
    case 'groups':
      return groupExample(model)
    default:
      return undefined
  }
}

const importExample = {
  applied: true,
  dry_run: false,
  transaction_id: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f82',
  tables: [{ table: 'users', component: 'users', rows: 2, inserted: 1, updated: 1, unchanged: 0 }],
  skipped: [{ file: 'strongroom_audit_log.csv', table: 'strongroom_audit_log', reason: 'is a table of the library, exported for reading' }],
  errors: [],
  error_count: 0,
}

const jobExample = {
  id: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80',
  kind: 'import',
  state: 'running',
  actor: 'olga',
  request_id: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f81',
  started_at: '2026-01-31T12:00:00.000Z',
  finished_at: null,
  cancel_requested: false,
  progress: { phase: 'reading', rows: 120000, bytes: 9437184 },
  result: null,
  error: null,
}

const entryExample = {
  id: 12,
  timestamp: '2026-01-31T12:00:00.000Z',
  component: 'users',
  record_id: 7,
  operation: 'update',
  actor: 'alice',
  before: { id: 7, name: 'Ada' },
  after: { id: 7, name: 'Ada Lovelace' },
  request_id: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80',
  transaction_id: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f81',
  tenant: null,
  epoch: 1,
  position: null,
  sealed: false,
  hash: null,
}

const sealedExample = {
  ...entryExample,
  position: 741,
  sealed: true,
  hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
}

const fixedExamples: Readonly<Partial<Record<Content, unknown>>> = {
  status: { status: 'ok' },
  restoration: { status: 'ok', restored: true },
  revertTarget: { to: '2026-01-31T12:00:00.000Z' },
  bulkDeletion: { status: 'deleted', count: 3 },
  openapi: { openapi: '3.1.0', info: { title: 'Strongroom', version: '1.0.0' } },
  html: '<!doctype html>',
  svg: '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
  dot: 'digraph schema {}',
  zip: 'PK…',
  database: 'SQLite format 3…',
  databaseForm: { file: 'SQLite format 3…' },
  backups: [
    {
      name: 'backup-20260131T120000Z.sqlite',
      place: '/var/backups/app',
      bytes: 24576,
      created_at: '2026-01-31T12:00:00.000Z',
      verified: true,
      error: null,
    },
  ],
  accessAnswer: {
    allowed: true,
    rule: 'users.update[1]',
    reason: 'The record holds the condition.',
    fields: { hidden: [], locked: ['role'] },
  },
  revertQuestion: { actor: 'mallory', since: '2026-01-31T12:00:00.000Z', conflicts: 'skip' },
  revertReport: {
    applied: true,
    dry_run: false,
    request_id: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80',
    components: [{ component: 'users', created: 0, updated: 2, restored: 1, deleted: 1, unchanged: 0 }],
    conflicts: [{ component: 'users', record_id: 7, reason: 'changed_later', message: 'users 7 was changed later by olga.', entry_id: 12 }],
    conflict_count: 1,
  },
  importForm: { file: 'PK…' },
  csv: 'id,name\n7,Ada\n',
  importReport: importExample,
  job: jobExample,
  jobs: [jobExample],
  restoreReport: {
    status: 'ok',
    restored: true,
    bytes: 24576,
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    tables: [{ table: 'users', now: 320, in_file: 319 }],
    audit: { ok: true, entries: 319, fault: null },
    since: { entries: 1, last_entry: '2026-01-31T12:00:00.000Z', same_history: true },
    migrations: [],
    safety_copy: 'before-restore-20260131T120001000Z.sqlite',
    epoch: 2,
  },
  auditEntries: [entryExample],
  auditVerdict: {
    ok: true,
    origin: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f82',
    epoch: 1,
    position: 741,
    entries: 741,
    erased: 0,
    unsealed: 0,
    retained_below: null,
    fault: null,
    checkpoints: [{ size: 700, epoch: 1, timestamp: '2026-01-31T12:00:00.000Z', finding: 'holds' }],
  },
  checkpoint: {
    origin: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f82',
    epoch: 1,
    size: 741,
    root: sealedExample.hash,
    timestamp: '2026-01-31T12:00:00.000Z',
    public_key: 'B0h1pJ0bS9mPQUTe3u2nMi0lLqmdGDZ3lSV6cZ8qv9Y',
    signature: 'kJ8u0cYtKZ0aWq9yq1oU6nJf5i5o0bW5fH0yq7Jt8b1lJp3cXj8hQmWq0cYtKZ0aWq9yq1oU6nJf5i5o0bW5AA',
  },
  auditProof: {
    id: 12,
    position: 741,
    leaf: '{"actor":"alice","component":"users",…}',
    link: { previous: sealedExample.hash, index: 0, size: 1, path: [] },
    chain: [],
    tree: { index: 2, size: 3, path: [sealedExample.hash] },
    origin: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f82',
    size: 741,
    root: sealedExample.hash,
  },
  changes: { changes: [sealedExample], next: '1:741', reset: false },
  changeEvents: `id: 1:741\nevent: change\ndata: ${JSON.stringify(sealedExample)}\n\n`,
}

function whole<T, Result>(value: T | undefined, make: (value: T) => Result): Result | undefined {
  return value === undefined ? undefined : make(value)
}

function recordExample(model: AnyModel): Record<string, unknown> | undefined {
  const names = visibleFields(model).map(({ name }) => name)
  return exampleRecord(model, names, names)
}

function bodyExample(model: AnyModel, use: 'insert' | 'update'): Record<string, unknown> | undefined {
  const schema = jsonSchemaOf(model, use)
  const required: unknown = Reflect.get(schema, 'required')
  return exampleRecord(model, Object.keys(propertiesOf(schema)), Array.isArray(required) ? required : [])
}

/** Two fields show that the others may be left out. */
function patchExample(model: AnyModel): Record<string, unknown> {
  return Object.fromEntries(Object.entries(bodyExample(model, 'update') ?? {}).slice(0, 2))
}

/** A record that was not there at the first moment. */
function diffExample(model: AnyModel): unknown {
  return whole(recordExample(model), (record) => ({
    from: null,
    to: record,
    changes: Object.entries(record).flatMap(([field, to]) => (to === null ? [] : [{ field, from: null, to }])),
  }))
}

function groupExample(model: AnyModel): unknown {
  const field = visibleFields(model).find(({ kind, role }) => kind !== 'json' && role === 'data')
  const value = field && exampleOf(field)
  return [{ ...(field && value !== undefined && { [field.name]: value }), count: 3 }]
}

function batchExample({ component, model }: DescribedComponent): unknown {
  const body = bodyExample(model, 'insert')
  return body && { operations: [{ method: 'create', component, body }] }
}

/** The success of an answer, in an envelope. */
export function envelopedExample(route: Route, data: unknown): unknown {
  const pagination = route.paged ? { total: 319, limit: 50, offset: 0, next: 'eyJpZCI6N30', previous: null } : null
  return { success: true, message: route.summary, data, pagination }
}

/** Whether an answer stands in an envelope where the server has them: all JSON but the description of the API. */
export function isEnveloped({ responses }: OpenApiSource, { mediaType, content }: RouteAnswer): boolean {
  return responses === 'envelope' && mediaType === 'application/json' && content !== 'openapi'
}

/** The schema of an answer, in an envelope. */
export function envelopedSchema(route: Route, data: WireSchema): WireSchema {
  return successSchema(data, route.paged === true)
}
