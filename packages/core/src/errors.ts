import { type ErrorCode, errorCatalogue } from '@strongroom/contract'

/** One thing that is wrong with a record: `path` is the field (`''` for the whole record). */
export interface ValidationIssue {
  readonly path: string
  readonly message: string
}

export interface StrongroomErrorOptions {
  /** What went wrong underneath, for logs; it never travels to a client. */
  readonly cause?: unknown
  /** Seconds after which a retry makes sense. */
  readonly retryAfter?: number
}

/** The root of every error that this library throws on purpose. `code` is stable; `message` tells what to do. */
export class StrongroomError extends Error {
  readonly code: ErrorCode
  /** The HTTP status that belongs to the code. */
  readonly status: number
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, options: StrongroomErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.status = errorCatalogue[code].status
    this.retryAfter = options.retryAfter
  }
}

/** No record, or none that the caller may see, under that id. */
export class NotFoundError extends StrongroomError {
  constructor(message: string) {
    super('not_found', message)
  }
}

/** Issues that one error tells; more are of no use to anybody, and an array of records can have thousands. */
const mostIssues = 100

/** A record, or a hook's view of it, is not acceptable. `issues` has one line for each field that is wrong, at most 100. */
export class ValidationError extends StrongroomError {
  readonly issues: readonly ValidationIssue[]

  constructor(issues: readonly ValidationIssue[] | string, options?: StrongroomErrorOptions) {
    const list = typeof issues === 'string' ? [{ path: '', message: issues }] : issues.slice(0, mostIssues)
    super('validation_failed', list.map((issue) => (issue.path ? `${issue.path}: ${issue.message}` : issue.message)).join('; '), options)
    this.issues = list
  }
}

export type ConflictCode = 'unique_conflict' | 'reference_conflict' | 'record_limit' | 'too_many_matches' | 'state_conflict'

/** The write conflicts with what is stored: a unique field, a reference, a record limit or the record's state. */
export class ConflictError extends StrongroomError {
  /** The fields that conflict, where the database or the model can name them. */
  readonly fields: readonly string[]

  constructor(code: ConflictCode, message: string, fields: readonly string[] = [], options?: StrongroomErrorOptions) {
    super(code, message, options)
    this.fields = fields
  }
}

/** The record was changed since the caller read it (If-Match). */
export class PreconditionFailedError extends StrongroomError {
  constructor(message: string) {
    super('precondition_failed', message)
  }
}

/** The caller may not do this. */
export class ForbiddenError extends StrongroomError {
  constructor(message: string) {
    super('forbidden', message)
  }
}

/** A filter, sort, page or other part of a question cannot be understood. */
export class InvalidQueryError extends StrongroomError {
  constructor(message: string) {
    super('invalid_query', message)
  }
}

/** What is asked for was there, and has been removed from the history for good. */
export class GoneError extends StrongroomError {
  constructor(message: string) {
    super('gone', message)
  }
}

/** Other writers hold the database, or too many wait for it; try again. Nothing was written. */
export class StorageBusyError extends StrongroomError {
  constructor(message: string, options?: StrongroomErrorOptions) {
    super('storage_busy', message, { retryAfter: 1, ...options })
  }
}

export type UnavailableCode = 'storage_unavailable' | 'storage_closed' | 'storage_full' | 'commit_unknown'

/** The database cannot be reached, is full, closed or failing. */
export class StorageUnavailableError extends StrongroomError {
  constructor(code: UnavailableCode, message: string, options?: StrongroomErrorOptions) {
    super(code, message, { retryAfter: 5, ...options })
  }
}

/** A read took longer than its limit and was stopped. */
export class QueryTimeoutError extends StrongroomError {
  constructor(options?: StrongroomErrorOptions) {
    super(
      'query_timeout',
      'The read took longer than its time limit and was stopped. Narrow the filter, filter and sort by fields that an index has, or page by cursor instead of offset.',
      options,
    )
  }
}

/** The unit of work was rolled back because it took longer than its limit. */
export class TransactionTimeoutError extends StrongroomError {
  constructor(message: string) {
    super('transaction_timeout', message, { retryAfter: 1 })
  }
}

export type UsageCode =
  | 'session_finished'
  | 'outer_handle'
  | 'unaudited_write'
  | 'invalid_options'
  | 'invalid_settings'
  | 'invalid_definition'

/** The library is used in a way that cannot work: a mistake in the program, not in its input. */
export class UsageError extends StrongroomError {
  constructor(code: UsageCode, message: string, options?: StrongroomErrorOptions) {
    super(code, message, options)
  }
}

/** The tables in the database do not fit the models. `differences` has a sentence for each; the message ends with what to do. */
export class SchemaMismatchError extends StrongroomError {
  readonly differences: readonly string[]

  constructor(differences: readonly string[], advice = '') {
    const lines = differences.map((line) => `- ${line}`).join('\n')
    super('schema_mismatch', `The database does not fit the models:\n${lines}${advice === '' ? '' : `\n${advice}`}`)
    this.differences = differences
  }
}

/** A migration cannot be run: records stand against it (`migration_refused`), or it is not the one that was applied (`migration_changed`). */
export class MigrationError extends StrongroomError {
  constructor(code: 'migration_refused' | 'migration_changed', message: string, options?: StrongroomErrorOptions) {
    super(code, message, options)
  }
}
