import type { ErrorCode } from './error-codes.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** The little of JSON Schema (2020-12) that parameters, headers and fixed answers need. */
export type WireSchema = Readonly<Record<string, unknown>>

/** A parameter of a route, apart from the filters of a list, which are the model's fields. */
export interface RouteParameter {
  readonly name: string
  readonly in: 'query' | 'header'
  readonly description: string
  readonly schema: WireSchema
  readonly required?: true
  readonly example?: unknown
}

/** What a body or answer holds; the model's schemas and `fixedSchemas` say what that looks like. */
export type Content =
  | 'record'
  | 'records'
  | 'recordOrRecords'
  | 'selectedRecord'
  | 'selectedRecords'
  | 'newRecord'
  | 'newRecords'
  | 'savedRecord'
  | 'recordPatch'
  | 'deletion'
  | 'bulkDeletion'
  | 'restoration'
  | 'recordDiff'
  | 'revertTarget'
  | 'groups'
  | 'batch'
  | 'batchResults'
  | 'status'
  | 'auditEntries'
  | 'auditVerdict'
  | 'checkpoint'
  | 'auditProof'
  | 'changes'
  | 'changeEvents'
  | 'openapi'
  | 'metrics'
  | 'html'
  | 'svg'
  | 'dot'
  | 'zip'
  | 'database'
  | 'databaseForm'
  | 'restoreReport'
  | 'importForm'
  | 'csv'
  | 'importReport'
  | 'job'
  | 'jobs'
  | 'backups'
  | 'accessQuestion'
  | 'accessAnswer'
  | 'revertQuestion'
  | 'revertReport'

export interface RouteBody {
  readonly mediaTypes: readonly string[]
  /** Several where one of them is to be sent. */
  readonly content: readonly Content[]
}

export interface RouteAnswer {
  readonly status: number
  readonly description: string
  /** Left out where the answer has no body. */
  readonly mediaType?: string
  readonly content?: Content
  /** Names of headers that are described in `answerHeaders`. */
  readonly headers: readonly AnswerHeader[]
}

/** A header of an answer. */
export interface AnswerHeaderText {
  readonly description: string
  readonly schema: WireSchema
  /** Stands in every answer that is said to have it. */
  readonly required?: true
  readonly example: unknown
}

const text: WireSchema = { type: 'string' }

/** Headers that answers carry, and what stands in them. */
export const answerHeaders = {
  'X-Total-Count': {
    description: 'How many records hold the conditions; left out with count=none.',
    schema: { type: 'integer', minimum: 0 },
    example: 319,
  },
  'Content-Range': {
    description: 'Which of them these are; left out with count=none. After a cursor their place is not known: `users */319`.',
    schema: { type: 'string', pattern: '^[\\w-]+ (\\d+-\\d+|\\*)/\\d+$' },
    example: 'users 0-49/319',
  },
  Link: {
    description: 'The first, previous, next and last page, as in RFC 8288.',
    schema: text,
    required: true,
    example: '</users?limit=50&offset=0>; rel="first"',
  },
  'X-Next-Cursor': {
    description: 'What `after` of the next page is, where the query is too long for `Link` to lead there.',
    schema: text,
    example: 'WzcsN10',
  },
  'X-Previous-Cursor': {
    description: 'What `before` of the previous page is, where the query is too long for `Link` to lead there.',
    schema: text,
    example: 'WzcsN10',
  },
  Location: {
    description: 'The path of what was made: the one record, none after a dry run; or the job.',
    schema: text,
    example: '/users/7',
  },
  ETag: {
    description: 'The version of the one record that is answered whole, for If-Match and If-None-Match.',
    schema: { type: 'string', pattern: '^"[\\x21\\x23-\\x7e]+"$' },
    example: '"Zk3v9aQ1"',
  },
  'Idempotent-Replayed': {
    description: 'The request was done before: this is what it was answered then.',
    schema: { type: 'boolean', const: true },
    example: true,
  },
  'Access-Control-Expose-Headers': {
    description: 'Headers that scripts of other origins may read.',
    schema: text,
    required: true,
    example: 'ETag, X-Request-Id',
  },
  'Cache-Control': {
    description: 'The answer is not to be kept.',
    schema: { type: 'string', const: 'no-store' },
    required: true,
    example: 'no-store',
  },
  'X-Content-Type-Options': {
    description: 'The answer is what its media type says.',
    schema: { type: 'string', const: 'nosniff' },
    required: true,
    example: 'nosniff',
  },
  'X-Accel-Buffering': {
    description: 'Of server-sent events: proxies pass each one on as it comes.',
    schema: { type: 'string', const: 'no' },
    example: 'no',
  },
  'Content-Disposition': {
    description: 'The answer is a file of this name.',
    schema: { type: 'string', pattern: '^attachment; filename="[\\w.-]+"$' },
    required: true,
    example: 'attachment; filename="backup-20260131T120000Z.sqlite"',
  },
  'Content-Security-Policy': { description: 'What the page may load.', schema: text, required: true, example: "default-src 'self'" },
  'Retry-After': {
    description: 'Seconds after which it is worth another try, where that is known.',
    schema: { type: 'integer', minimum: 0 },
    example: 1,
  },
  RateLimit: {
    description: 'The requests that are left (r), and the seconds until there are all again (t).',
    schema: text,
    required: true,
    example: '"default";r=0;t=12',
  },
  'RateLimit-Policy': {
    description: 'How many requests a caller may make (q) in so many seconds (w).',
    schema: text,
    required: true,
    example: '"default";q=100;w=60',
  },
  'Accept-Patch': {
    description: 'The media types that a patch may have.',
    schema: text,
    required: true,
    example: 'application/merge-patch+json, application/json',
  },
  'X-Trace-Id': {
    description: 'The trace that the request is part of, where there is one.',
    schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
    example: '0af7651916cd43dd8448eb211c80319c',
  },
  traceparent: {
    description: 'The span of the request (W3C Trace Context), where the server traces it.',
    schema: { type: 'string', pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' },
    example: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
  'X-Request-Id': {
    description: 'The id of the request, as it stands in the audit entries.',
    schema: { type: 'string', minLength: 1, maxLength: 128 },
    required: true,
    example: '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80',
  },
} as const satisfies Record<string, AnswerHeaderText>

export type AnswerHeader = keyof typeof answerHeaders

/** Everything that is known of a route before there is a server: the server, the OpenAPI document and the client are made from it. */
export interface Route<Operation extends string = string> {
  /** The route's name among its kind; with the component it makes the operation id. */
  readonly operation: Operation
  readonly method: HttpMethod
  /** Below the component, `/db` or the root, with `{id}` for the record's id. Empty for the place itself. */
  readonly path: '' | `/${string}`
  readonly summary: string
  /** What is to be known beside the summary, in whole sentences. */
  readonly description: string
  readonly parameters: readonly RouteParameter[]
  /** The query also takes the model's fields as filters. */
  readonly filters?: boolean
  /** The answer is a page of a list. */
  readonly paged?: true
  readonly body?: RouteBody
  /** Other forms that the body can have instead. */
  readonly otherBodies?: readonly RouteBody[]
  readonly answers: readonly RouteAnswer[]
  /** Errors beside those that any route can answer with. */
  readonly errors: readonly ErrorCode[]
  readonly writes: boolean
}

/** Errors that any route can answer with. */
export const commonErrors: readonly ErrorCode[] = ['bad_request', 'internal_error']

/** The errors of a route that asks the database. */
export const queryErrors: readonly ErrorCode[] = ['invalid_query', 'query_timeout', 'storage_busy', 'storage_unavailable']

/** The errors of a route that writes. */
export const writeErrors: readonly ErrorCode[] = [
  'invalid_query',
  'missing_actor',
  'unsupported_media_type',
  'payload_too_large',
  'validation_failed',
  'idempotency_mismatch',
  'state_conflict',
  'storage_busy',
  'storage_unavailable',
  'commit_unknown',
  'transaction_timeout',
  'storage_full',
]
