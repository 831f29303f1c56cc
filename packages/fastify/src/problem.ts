import { type ErrorCode, errorCatalogue, type FailureEnvelope, patchTypes, type ResponseStyle } from '@strongroom/contract'
import { ConflictError, StrongroomError, ValidationError } from '@strongroom/core'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isAnonymous } from './auth/identity.ts'
import { ConflictsRefused } from './operators/conflicts-refused.ts'
import { RowsRefused } from './operators/rows-refused.ts'
import { BatchOperationError } from './records/batch-error.ts'
import { requestIdOf } from './request-id.ts'
import { responseStyleOf } from './response-style.ts'

/** An error as it travels: RFC 9457, with a `message` that is the detail once more. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly message: string
  readonly instance: string
  readonly code: ErrorCode
  readonly request_id: string
  /** Of a batch: the operation that failed, from 0 on. */
  readonly operation?: number
  readonly errors?: readonly ProblemIssue[]
  /** Of an import: how many there are, of which `errors` has the first. */
  readonly error_count?: number
}

/** One thing that is wrong; of an import also where it stands. */
export interface ProblemIssue {
  readonly path: string
  readonly message: string
  readonly file?: string
  readonly line?: number
  readonly field?: string
}

/** The part of an error that may be told, and whether the log must tell the rest. */
interface Finding {
  readonly code: ErrorCode
  readonly status: number
  readonly detail: string
  readonly errors?: Problem['errors']
  readonly errorCount?: number
  readonly operation?: number
  readonly retryAfter?: number | undefined
  readonly unexpected: boolean
}

const hidden = 'Something went wrong in the server. Its log has the details under this request id.'

/** Answers an error; the one place that maps errors to answers. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const finding = understand(error, request)
  if (finding.unexpected) request.log.error({ err: error, request_id: requestIdOf(request) }, 'a request failed')
  if (finding.retryAfter !== undefined) reply.header('retry-after', String(finding.retryAfter))
  // RFC 9110, 11.6.1: a 401 says how to log in.
  if (finding.status === 401) reply.header('www-authenticate', 'Bearer')
  if (finding.status === 415 && request.method === 'PATCH') reply.header('accept-patch', patchTypes.join(', '))
  return sendProblem(request, reply, finding)
}

/** Sends a problem that no error was thrown for. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, told: Told): FastifyReply {
  const requestId = requestIdOf(request)
  const problem = problemOf(told, request.originalUrl.split('?', 1)[0] ?? '', requestId)
  const { type, text } = writeProblem(problem, responseStyleOf(request))
  reply.removeHeader('content-length')
  return reply.code(problem.status).header('x-request-id', requestId).type(type).send(text)
}

/** A problem in the style of a server, and its media type. */
export function writeProblem(problem: Problem, style: ResponseStyle): { readonly type: string; readonly text: string } {
  if (style === 'bare') return { type: 'application/problem+json; charset=utf-8', text: JSON.stringify(problem) }
  const { type: _, status, detail, message: __, ...details } = problem
  const failure: FailureEnvelope = { success: false, message: detail, status_code: status, details }
  return { type: 'application/json; charset=utf-8', text: JSON.stringify(failure) }
}

/** What a problem is made from; the code's own status where none is said. */
type Told = Pick<Finding, 'code' | 'detail' | 'errors' | 'errorCount' | 'operation'> & { readonly status?: number }

/** An error as it travels. `instance` is the request's path. */
export function problemOf(
  { code, detail, status = errorCatalogue[code].status, errors, errorCount, operation }: Told,
  instance: string,
  requestId: string,
): Problem {
  return {
    type: `urn:strongroom:problem:${code}`,
    title: errorCatalogue[code].title,
    status,
    detail,
    message: detail,
    instance,
    code,
    request_id: requestId,
    ...(operation !== undefined && { operation }),
    ...(errors && { errors }),
    ...(errorCount !== undefined && { error_count: errorCount }),
  }
}

function understand(error: unknown, request: FastifyRequest): Finding {
  if (error instanceof BatchOperationError) return { ...understand(error.cause, request), operation: error.index }
  if (error instanceof StrongroomError) return understandOurs(error, request)
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number')
    return understandServer(error, error.statusCode, request)
  return { code: 'internal_error', status: 500, detail: hidden, unexpected: true }
}

/** Whoever named nobody may be allowed to when they do. */
const loginNeeded = 'This needs a login. Send the credentials that this server asks for.'

function understandOurs(error: StrongroomError, request: FastifyRequest): Finding {
  if (error.code === 'forbidden' && isAnonymous(request))
    return { code: 'unauthorized', status: 401, detail: loginNeeded, unexpected: false }
  const { code, status, retryAfter, message } = error
  // Of a server that cannot keep up, a line for each refusal would make it worse.
  const unexpected = status >= 500 && code !== 'server_busy'
  // Errors of 500 are faults of the program, and their sentences are for those who write it.
  if (status === 500) return { code: 'internal_error', status, detail: hidden, unexpected }
  const errors = fieldsOf(error)
  const count = error instanceof RowsRefused || error instanceof ConflictsRefused ? { errorCount: error.count } : {}
  return { code, status, detail: message, retryAfter, unexpected, ...(errors && { errors }), ...count }
}

function fieldsOf(error: StrongroomError): Problem['errors'] | undefined {
  if (error instanceof RowsRefused || error instanceof ConflictsRefused) return error.issues
  if (error instanceof ValidationError) return error.issues
  if (error instanceof ConflictError && error.fields.length > 0) return error.fields.map((path) => ({ path, message: error.message }))
  return undefined
}

const codesByStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  410: 'gone',
  412: 'precondition_failed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'validation_failed',
  428: 'precondition_required',
  429: 'too_many_requests',
  503: 'storage_busy',
}

const sentences: Readonly<Record<string, (request: FastifyRequest) => string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (request) => `The body is larger than the ${request.routeOptions.bodyLimit} bytes that this route takes.`,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (request) =>
    `Send the body as ${request.method === 'PATCH' ? patchTypes.join(' or ') : 'application/json'}.`,
}

/** Errors of the HTTP server and of the host's hooks: their status counts, and below 500 their message. */
function understandServer(error: Error, status: number, request: FastifyRequest): Finding {
  const known = codesByStatus[status]
  if (status < 400 || status >= 500) {
    if (known) return { code: known, status, detail: 'The server cannot answer now. Try again later.', unexpected: false }
    return { code: 'internal_error', status: status > 500 && status < 600 ? status : 500, detail: hidden, unexpected: true }
  }
  const sentence =
    'code' in error && typeof error.code === 'string' && Object.hasOwn(sentences, error.code) ? sentences[error.code] : undefined
  return { code: known ?? 'bad_request', status, detail: sentence?.(request) ?? error.message, unexpected: false }
}
