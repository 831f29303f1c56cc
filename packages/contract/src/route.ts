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
}

/** What a body or answer holds; the model's schemas and `fixedSchemas` say what that looks like. */
export type Content =
  | 'record'
  | 'records'
  | 'recordOrRecords'
  | 'newRecord'
  | 'newRecords'
  | 'savedRecord'
  | 'recordPatch'
  | 'deletion'
  | 'bulkDeletion'
  | 'restoration'
  | 'groups'
  | 'batch'
  | 'batchResults'
  | 'status'
  | 'auditEntries'
  | 'openapi'
  | 'html'

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

/** Headers that answers carry, and what stands in them. */
export const answerHeaders = {
  'X-Total-Count': 'How many records hold the conditions; left out with count=none.',
  'Content-Range': 'Which of them these are: `users 0-49/319`; left out with count=none.',
  Link: 'The first, previous, next and last page, as in RFC 8288.',
  Location: 'The path of the record.',
  ETag: 'The version of the record, for If-Match and If-None-Match.',
  'X-Request-Id': 'The id of the request, as it stands in the audit entries.',
} as const

export type AnswerHeader = keyof typeof answerHeaders

/** Everything that is known of a route before there is a server: the server, the OpenAPI document and the client are made from it. */
export interface Route<Operation extends string = string> {
  /** The route's name among its kind; with the component it makes the operation id. */
  readonly operation: Operation
  readonly method: HttpMethod
  /** Below the component, `/db` or the root, with `{id}` for the record's id. Empty for the place itself. */
  readonly path: '' | `/${string}`
  readonly summary: string
  readonly parameters: readonly RouteParameter[]
  /** The query also takes the model's fields as filters. */
  readonly filters?: boolean
  /** The answer is a page of a list. */
  readonly paged?: true
  readonly body?: RouteBody
  readonly answers: readonly RouteAnswer[]
  /** Errors beside those that any route can answer with. */
  readonly errors: readonly ErrorCode[]
  readonly writes: boolean
}

/** Errors that any route can answer with. */
export const commonErrors: readonly ErrorCode[] = ['bad_request', 'internal_error', 'storage_unavailable']

/** The errors of a route that reads a query. */
export const queryErrors: readonly ErrorCode[] = ['invalid_query']

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
  'transaction_timeout',
  'storage_full',
]
