import { mostBulkRecords } from './bulk-query.ts'
import { mostIncludedRecords } from './list-query.ts'
import type { RouteParameter, WireSchema } from './route.ts'

const flag = (name: string, description: string): RouteParameter => ({
  name,
  in: 'query',
  description,
  schema: { type: 'boolean', default: false },
  example: true,
})

const text = (name: string, description: string, example?: string): RouteParameter => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string' },
  ...(example !== undefined && { example }),
})

/** Text of at least one character. */
const word = (name: string, description: string, example: string): RouteParameter => ({
  ...text(name, description, example),
  schema: { type: 'string', minLength: 1 },
})

const instant = (name: string, description: string): RouteParameter => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string', format: 'date-time' },
  example: '2026-01-31T12:00:00Z',
})

const offset = (name: string): RouteParameter => ({
  name,
  in: 'query',
  description: 'How many to skip first.',
  schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
  example: 50,
})

/** Names whoever writes, while no authentication is configured. */
export const userHeader: RouteParameter = {
  name: 'X-User',
  in: 'header',
  description: 'Names the actor in stamps and audit entries; required while the server has no other way to know.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  example: 'alice',
}

/** Names whoever writes as an operator. */
export const operatorHeader: RouteParameter = {
  ...userHeader,
  description: 'Names the actor in the audit entry; `operator` where it is left out.',
  schema: { ...userHeader.schema, default: 'operator' },
}

/** Names the request. */
export const requestIdHeader: RouteParameter = {
  name: 'X-Request-Id',
  in: 'header',
  description: 'Names the request in the answer and in audit entries; made when it is left out.',
  schema: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[\\x20-\\x7e]+$' },
  example: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80',
}

const tags = (name: string, description: string): RouteParameter => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
  example: '"Zk3v9aQ1"',
})

export const ifMatch = tags('If-Match', 'Entity tags of which the record must have one, or `*`; else 412.')
export const ifNoneMatch = tags(
  'If-None-Match',
  'On a read: 304 when the record still has one of these entity tags. On a write: 412 when it has one; with `*` when it is there at all.',
)

export const idempotencyKey: RouteParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Does the request once: the same key is answered alike for 24 hours; with another content it is 422.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$' },
  example: '6f1c2c1e-0b57-4c0e-9c39-6f0c9a2f4b11',
}

export const includeDeleted = flag('include_deleted', 'Soft-deleted records too.')
export const dryRun = flag('dry_run', 'Does everything, hooks included, then rolls back and answers what would have been.')
export const at = instant('at', 'What was there at this instant: RFC 3339, not in the future.')
export const replace = flag('replace', 'Fields that are left out go back to their default or null.')
export const purge = flag('purge', 'Removes the record for good, also when it is soft-deleted.')
export const erase = flag('erase', 'Removes the record for good, and what its history has of it; also when it is gone already.')

export const fields = text('fields', 'The fields to answer, separated by commas; all unless said.')
/** As `toLocaleString('en')` has it, which loads the rules of all languages: 8 ms of every start. */
const inThousands = (number: number): string => String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')

export const include = text(
  'include',
  `What to read along, separated by commas: \`owner\` for a field owner_id, and components that point here: at most ${inThousands(mostIncludedRecords)} of their records.`,
)

const group = (name: string, description: string): RouteParameter =>
  text(name, `${description} Written like \`(role.eq.admin,not(age.lt.18))\`; groups may be nested.`)

/** How many records a page has; a server can configure both numbers. */
export const pageLimit: RouteParameter = {
  name: 'limit',
  in: 'query',
  description: 'Records on a page.',
  schema: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
  example: 20,
}

/** What stops a filter that holds for more than was meant. */
const atMost: RouteParameter = {
  name: 'at_most',
  in: 'query',
  description: 'How many records the filter may hold for; if there are more, none is changed (409).',
  schema: { type: 'integer', minimum: 1, maximum: mostBulkRecords },
  required: true,
  example: 100,
}

/** The parameters of a change of a filtered collection, beside the fields. */
export const bulkQueryParameters: readonly RouteParameter[] = [
  group('and', 'Conditions that must all hold.'),
  group('or', 'Conditions of which one must hold.'),
  group('not', 'Conditions that must not all hold.'),
  atMost,
]

/** Entries on a page of a record's history, where the query does not say, and at most. */
export const defaultHistoryEntries = 100
export const mostHistoryEntries = 1000

/** The parameters of a list, beside the fields. Limits are those of a server that configures none. */
export const listQueryParameters: readonly RouteParameter[] = [
  group('and', 'Conditions that must all hold.'),
  group('or', 'Conditions of which one must hold.'),
  group('not', 'Conditions that must not all hold.'),
  text('sort', 'Fields to sort by, first the most important; - before one sorts downwards: `-created_at,name`.'),
  pageLimit,
  offset('offset'),
  { ...offset('skip'), description: 'Another name of offset.' },
  text('after', 'The page begins right after this cursor; take it from the Link header.', 'eyJpZCI6N30'),
  text('before', 'The page ends right before this cursor; take it from the Link header.', 'eyJpZCI6N30'),
  fields,
  include,
  includeDeleted,
  {
    name: 'count',
    in: 'query',
    description: 'Whether the answer says how many records there are in all.',
    schema: { type: 'string', enum: ['exact', 'none'], default: 'exact' },
    example: 'none',
  },
  at,
]

/** Which of a record's audit entries. */
export const historyParameters: readonly RouteParameter[] = [
  {
    name: 'limit',
    in: 'query',
    description: 'The most entries to answer.',
    schema: { type: 'integer', minimum: 1, maximum: mostHistoryEntries, default: defaultHistoryEntries },
    example: 20,
  },
  offset('offset'),
  text('after', 'The page begins right after this cursor; take it from the Link header.', 'eyJpZCI6N30'),
]

/** Between which moments a record is compared. */
export const diffParameters: readonly RouteParameter[] = [
  { ...instant('from', 'The first moment: RFC 3339, not in the future.'), required: true },
  instant('to', 'The second moment; now unless said.'),
]

/** The parameters of an aggregate, beside the fields. */
export const aggregateQueryParameters: readonly RouteParameter[] = [
  group('and', 'Conditions that must all hold.'),
  group('or', 'Conditions of which one must hold.'),
  group('not', 'Conditions that must not all hold.'),
  text('group_by', 'Fields whose values make the groups, separated by commas; all records are one group without.'),
  text('measures', '`count`, or `sum`, `avg`, `min` or `max` of a field, separated by commas: `count,avg:age`. `count` unless said.'),
  {
    name: 'limit',
    in: 'query',
    description: 'The most groups to answer.',
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: 1000 },
    example: 100,
  },
  includeDeleted,
]

/** What audit entries are asked by. */
export const auditParameters: readonly RouteParameter[] = [
  word('component', 'Entries of one component.', 'users'),
  word('record_id', 'Entries of the records with this id.', '7'),
  word('actor', 'Entries of one actor.', 'alice'),
  word('operation', 'Entries of one operation: create, update, delete, soft_delete, restore, purge, …', 'update'),
  word('request_id', 'Entries of one request.', '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80'),
  instant('since', 'Entries from this instant on.'),
  instant('until', 'Entries before this instant.'),
  text('after', 'The page begins right after this cursor; take it from the Link header.', 'eyJpZCI6N30'),
  {
    name: 'limit',
    in: 'query',
    description: 'The most entries to answer.',
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    example: 20,
  },
  offset('offset'),
]

/** The id of a change, or the beginning. */
const changePlace: WireSchema = { type: 'string', pattern: '^(start|(0|[1-9]\\d{0,15}):(0|[1-9]\\d{0,15}))$' }

/** How the feed of changes is asked for. */
export const changesParameters: readonly RouteParameter[] = [
  {
    name: 'after',
    in: 'query',
    description:
      'The id of the last change that was seen: those after it come. `start` is before everything that the log has; from now on unless said.',
    schema: changePlace,
    example: '1:740',
  },
  {
    name: 'limit',
    in: 'query',
    description: 'The most changes of a JSON answer; server-sent events go on for ever.',
    schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    example: 20,
  },
]

/** What an EventSource says when it comes back. */
export const lastEventIdHeader: RouteParameter = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'The id of the last event that was received; it goes before `after`.',
  schema: changePlace,
  example: '1:740',
}

/** How a diagram is asked for. */
export const diagramParameters: readonly RouteParameter[] = [
  {
    name: 'format',
    in: 'query',
    description: 'A picture, or its source in the language of Graphviz.',
    schema: { type: 'string', enum: ['svg', 'dot'], default: 'svg' },
    example: 'dot',
  },
  flag('system', "The library's own tables too: the audit log, kept answers."),
]

/** What is exported, and how. */
export const exportParameters: readonly RouteParameter[] = [
  text('tables', 'Tables or components, separated by commas; all unless said.'),
  flag('spreadsheet', 'Puts an apostrophe before texts that a spreadsheet would run as formulas. Such files cannot be imported.'),
  {
    name: 'secrets',
    in: 'query',
    description: 'Secret fields: a mark in every cell, or their values.',
    schema: { type: 'string', enum: ['mask', 'include'], default: 'mask' },
    example: 'include',
  },
]

const restoreDryRun = flag('dry_run', 'Reports what would be restored, and changes nothing.')

/** How a database is restored. */
export const restoreParameters: readonly RouteParameter[] = [
  {
    ...flag('integrity_check', 'Runs SQLite’s integrity check, which reads the whole file.'),
    schema: { type: 'boolean', default: true },
  },
  restoreDryRun,
]

/** How a restore is undone. */
export const undoRestoreParameters: readonly RouteParameter[] = [restoreDryRun]

/** How changes are undone. */
export const revertParameters: readonly RouteParameter[] = [dryRun]

/** How files are imported. */
export const importParameters: readonly RouteParameter[] = [
  {
    name: 'mode',
    in: 'query',
    description: 'Every row is a new record, or rows whose id is there change that record.',
    schema: { type: 'string', enum: ['insert', 'upsert'], default: 'insert' },
    example: 'upsert',
  },
  flag('dry_run', 'Does everything, hooks included, then rolls back and answers what would have been.'),
  word('table', 'The table or component that a body of text/csv is for.', 'users'),
]

/** Seconds that a request may ask to wait for the end of a job. */
export const longestWait = 30

/** How long a client waits for the next change. */
export const changesWaitHeader: RouteParameter = {
  name: 'Prefer',
  in: 'header',
  description: `How long a JSON answer waits for a change where there is none yet, as in RFC 7240: \`wait=10\` for so many seconds, at most ${longestWait}, or \`respond-async\` for not at all; 2 unless said.`,
  schema: { type: 'string' },
  example: 'wait=10',
}

/** How long a client waits for work that takes long. */
export const preferHeader: RouteParameter = {
  name: 'Prefer',
  in: 'header',
  description: `How long to wait for the end, as in RFC 7240: \`respond-async\`, or \`wait=10\` for so many seconds, at most ${longestWait}; 2 unless said.`,
  schema: { type: 'string' },
  example: 'respond-async',
}
