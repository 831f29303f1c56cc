import type { ErrorCode } from '@strongroom/contract'

/** What is wrong with one field of a record. */
export interface ValidationIssue {
  /** The field, with the record's place in front where several were sent: `2.email`. */
  readonly path: string
  readonly message: string
}

/** What an error tells beside its sentence. */
export interface ErrorDetails {
  readonly code: string
  readonly status?: number | undefined
  readonly issues?: readonly ValidationIssue[] | undefined
  readonly requestId?: string | undefined
  readonly operation?: number | undefined
  readonly cause?: unknown
}

/**
 * Anything that a server refuses, or that comes between it and the client.
 *
 * @example
 * try {
 *   await client.users.create({ name: 'Ada', email: 'no address' })
 * } catch (error) {
 *   if (error instanceof ValidationError) for (const { path, message } of error.issues) console.log(path, message)
 *   else throw error
 * }
 */
export class StrongroomClientError extends Error {
  override readonly name: string = 'StrongroomClientError'
  /** Stable: a code of the server, `network_error`, `timeout`, or `unexpected_answer` for what is no answer of a Strongroom server. */
  readonly code: ErrorCode | (string & {})
  /** The HTTP status; undefined where there was no answer. */
  readonly status: number | undefined
  /** A sentence that says what to do; the same as `message`. */
  readonly detail: string
  /** What is wrong with which field; empty where the error is not about fields. */
  readonly issues: readonly ValidationIssue[]
  /** Names the request in the server's log and audit entries. */
  readonly requestId: string | undefined
  /** Of a batch: the operation that failed, from 0 on. */
  readonly operation: number | undefined

  constructor(detail: string, { code, status, issues = [], requestId, operation, cause }: ErrorDetails) {
    super(detail, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = status
    this.detail = detail
    this.issues = issues
    this.requestId = requestId
    this.operation = operation
  }
}

/** The URL, a header or the body cannot be understood, or nobody is named as the actor. */
export class BadRequestError extends StrongroomClientError {
  override readonly name = 'BadRequestError'
}

/** A field, operator, value or limit of the question is none. */
export class InvalidQueryError extends StrongroomClientError {
  override readonly name = 'InvalidQueryError'
}

/** The server wants to know who asks. */
export class UnauthorizedError extends StrongroomClientError {
  override readonly name = 'UnauthorizedError'
}

/** The caller may not do this. */
export class ForbiddenError extends StrongroomClientError {
  override readonly name = 'ForbiddenError'
}

/** There is no such record, or none that the caller may see. */
export class NotFoundError extends StrongroomClientError {
  override readonly name = 'NotFoundError'
}

/** It conflicts with what is stored: a unique field, a reference, a limit, or a deleted record. */
export class ConflictError extends StrongroomClientError {
  override readonly name = 'ConflictError'
}

/** What is asked for was there, and has been removed from the history for good. */
export class GoneError extends StrongroomClientError {
  override readonly name = 'GoneError'
}

/** The record was changed since it was read. */
export class PreconditionFailedError extends StrongroomClientError {
  override readonly name = 'PreconditionFailedError'
}

/** The server changes this only with an ETag. */
export class PreconditionRequiredError extends StrongroomClientError {
  override readonly name = 'PreconditionRequiredError'
}

/** The record is not acceptable; `issues` says why. */
export class ValidationError extends StrongroomClientError {
  override readonly name = 'ValidationError'
}

/** The caller asks too often, and the retries did not help. */
export class TooManyRequestsError extends StrongroomClientError {
  override readonly name = 'TooManyRequestsError'
}

/** The server or its storage cannot answer now, and the retries did not help. */
export class UnavailableError extends StrongroomClientError {
  override readonly name = 'UnavailableError'
}

/** The server could not be reached, or the connection was lost; `cause` says how. */
export class NetworkError extends StrongroomClientError {
  override readonly name = 'NetworkError'

  constructor(cause: unknown, requestId?: string) {
    super('The server could not be reached, or the connection was lost before the answer was whole.', {
      code: 'network_error',
      requestId,
      cause,
    })
  }
}

/** The server did not answer in time. */
export class TimeoutError extends StrongroomClientError {
  override readonly name = 'TimeoutError'

  constructor(timeout: number, requestId?: string) {
    super(`The server did not answer within ${timeout} ms.`, { code: 'timeout', requestId })
  }
}
