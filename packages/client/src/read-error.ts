import type { ErrorCode } from '@strongroom/contract'
import {
  BadRequestError,
  ConflictError,
  type ErrorDetails,
  ForbiddenError,
  GoneError,
  InvalidQueryError,
  NotFoundError,
  PreconditionFailedError,
  PreconditionRequiredError,
  StrongroomClientError,
  TooManyRequestsError,
  UnauthorizedError,
  UnavailableError,
  ValidationError,
  type ValidationIssue,
} from './errors.ts'

type ErrorClass = new (detail: string, details: ErrorDetails) => StrongroomClientError

/** The class of each code. Those of the plain class are faults of a program, here or there. */
const classes: Readonly<Record<ErrorCode, ErrorClass>> = {
  bad_request: BadRequestError,
  missing_actor: BadRequestError,
  invalid_query: InvalidQueryError,
  query_timeout: InvalidQueryError,
  unauthorized: UnauthorizedError,
  forbidden: ForbiddenError,
  not_found: NotFoundError,
  unique_conflict: ConflictError,
  reference_conflict: ConflictError,
  record_limit: ConflictError,
  too_many_matches: ConflictError,
  state_conflict: ConflictError,
  migration_refused: ConflictError,
  migration_changed: ConflictError,
  gone: GoneError,
  precondition_failed: PreconditionFailedError,
  precondition_required: PreconditionRequiredError,
  validation_failed: ValidationError,
  too_many_requests: TooManyRequestsError,
  server_busy: UnavailableError,
  storage_closed: UnavailableError,
  storage_busy: UnavailableError,
  storage_unavailable: UnavailableError,
  commit_unknown: UnavailableError,
  transaction_timeout: UnavailableError,
  storage_full: UnavailableError,
  method_not_allowed: StrongroomClientError,
  payload_too_large: StrongroomClientError,
  unsupported_media_type: StrongroomClientError,
  idempotency_mismatch: StrongroomClientError,
  internal_error: StrongroomClientError,
  invalid_definition: StrongroomClientError,
  invalid_options: StrongroomClientError,
  invalid_settings: StrongroomClientError,
  schema_mismatch: StrongroomClientError,
  session_finished: StrongroomClientError,
  outer_handle: StrongroomClientError,
  unaudited_write: StrongroomClientError,
}

/** What somebody between the client and the server may answer with a page of their own. */
const classesByStatus: Readonly<Record<number, ErrorClass>> = {
  401: UnauthorizedError,
  403: ForbiddenError,
  429: TooManyRequestsError,
  502: UnavailableError,
  503: UnavailableError,
  504: UnavailableError,
}

/** Makes the error of an answer: a problem, a failure envelope, or anything else. */
export function readError(status: number, body: unknown, requestId: string | undefined): StrongroomClientError {
  const told = isObject(body) ? (isObject(body['details']) ? { ...body, ...body['details'] } : body) : {}
  const { code, operation } = told
  const detail = [told['detail'], told['message']].find((text) => typeof text === 'string')
  if (typeof code !== 'string' || detail === undefined) return strangeError(status, requestId)
  // A code may be newer than this client.
  const Class = Object.hasOwn(classes, code) ? classes[code as ErrorCode] : StrongroomClientError
  return new Class(detail, {
    code,
    status,
    issues: Array.isArray(told['errors']) ? told['errors'].filter(isIssue) : [],
    requestId: typeof told['request_id'] === 'string' ? told['request_id'] : requestId,
    operation: typeof operation === 'number' ? operation : undefined,
  })
}

/** An answer that no Strongroom server gives. */
export function strangeError(status: number, requestId: string | undefined): StrongroomClientError {
  const Class = classesByStatus[status] ?? StrongroomClientError
  const detail = `The answer of status ${status} is none of a Strongroom server. Is the baseUrl right?`
  return new Class(detail, { code: 'unexpected_answer', status, requestId })
}

function isIssue(value: unknown): value is ValidationIssue {
  return isObject(value) && typeof value['path'] === 'string' && typeof value['message'] === 'string'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
