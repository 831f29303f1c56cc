import {
  ForbiddenError,
  InvalidQueryError,
  StorageBusyError,
  StorageUnavailableError,
  StrongroomError,
  TransactionTimeoutError,
  UsageError,
  ValidationError,
} from '../../errors.ts'
import { appendOnlyError } from '../append-only-error.ts'
import { ConstraintViolation } from '../engine.ts'
import { appendOnlyState } from './log-guard.ts'

/** The parts of a server's error that are looked at. */
interface ServerError extends Error {
  readonly code: string
  readonly routine?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  detail?: string
  where?: string
}

const violations: Readonly<Record<string, ConstraintViolation['kind']>> = {
  '23505': 'unique',
  '23P01': 'unique',
  '23503': 'reference',
  '23001': 'reference',
  '23514': 'check',
  '23502': 'notNull',
}

/** Serialization failure and deadlock: the unit did nothing wrong and may run again from its start. */
const conflictStates = ['40001', '40P01']

function isServerError(error: unknown): error is ServerError {
  // system errors have codes too (ECONNREFUSED), but only the server speaks of severity
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}

/** The server's own code for an error, or for the cause of a translated one. */
export function sqlState(error: unknown): string | undefined {
  if (isServerError(error)) return error.code
  return error instanceof Error && isServerError(error.cause) ? error.cause.code : undefined
}

/** The unit lost against another one; running it again from its start can succeed. */
export function isConflict(error: unknown): boolean {
  return conflictStates.includes(sqlState(error) ?? '')
}

/** A prepared statement no longer fits its table, which somebody altered; a new connection prepares it anew. */
export function isStalePlan(error: unknown): boolean {
  const raw = error instanceof Error ? error.cause : undefined
  return isServerError(raw) && raw.code === '0A000' && raw.routine === 'RevalidateCachedQuery'
}

/** The server is ending this session, or the connection is broken: nothing more can be heard on it. */
export function endsConnection(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && (state.startsWith('08') || state.startsWith('57P') || state === '25P03')
}

export function lostConnection(cause: unknown): StorageUnavailableError {
  return new StorageUnavailableError('storage_unavailable', 'The connection to the database was lost. Nothing was written; try again.', {
    cause,
  })
}

export function unknownOutcome(cause: unknown): StorageUnavailableError {
  return new StorageUnavailableError(
    'commit_unknown',
    'The connection to the database was lost during the commit: it may or may not have happened. Look before writing again.',
    { cause },
  )
}

/** A warning that comes with a COMMIT: somebody stopped it while it waited for a standby, and it is stored on this server alone. */
export function isUnreplicated(notice: object): boolean {
  return 'routine' in notice && notice.routine === 'SyncRepWaitForLSN'
}

export function unreplicatedCommit(): StorageUnavailableError {
  return new StorageUnavailableError(
    'commit_unknown',
    'The database stopped waiting for its standby during the commit: it is lost should the standby take over. Look before writing again.',
  )
}

/** The server only reads: another one may have taken over from it. */
export function isOfStandby(error: unknown): boolean {
  return error instanceof StorageUnavailableError && sqlState(error) === '25006'
}

/**
 * Turns what node-postgres rejects with into what the engine may throw; `lost` says that the connection is gone.
 * Messages hold no SQL, value or host; the cause has them.
 */
export function translateError(error: unknown, lost: boolean): Error {
  if (isServerError(error)) {
    const kind = violations[error.code]
    const translated = error.code === appendOnlyState ? appendOnlyError(error) : kind ? violation(kind, error) : serverFailure(error)
    // These quote the values of the row, secret ones too, and whoever logs the error would log its cause.
    delete error.detail
    delete error.where
    return translated
  }
  if (lost) return lostConnection(error)
  return new StrongroomError('internal_error', 'A statement could not be sent to the database.', { cause: error })
}

function violation(kind: ConstraintViolation['kind'], cause: ServerError): ConstraintViolation {
  return new ConstraintViolation(kind, {
    ...(cause.table !== undefined && { table: cause.table }),
    columns: cause.column === undefined ? keyColumns(cause.detail) : [cause.column],
    ...(cause.constraint !== undefined && { constraint: cause.constraint }),
    cause,
  })
}

/** Reads `Key (email, tenant)=(a@example.com, 7) already exists.`, whatever the language of the server. */
function keyColumns(detail: string | undefined): string[] {
  const [, columns] = /\(([^()]+)\)=\(/.exec(detail ?? '') ?? []
  return columns === undefined ? [] : columns.split(', ').map((column) => column.replace(/^"(.*)"$/, '$1'))
}

function serverFailure(cause: ServerError): StrongroomError {
  const state = cause.code
  if (conflictStates.includes(state)) {
    return new StorageBusyError('Other writers kept changing the same records. Nothing was written; try again.', { cause })
  }
  if (state === '55P03')
    return new StorageBusyError('Another writer holds what this write needs. Nothing was written; try again.', { cause })
  if (state === '57014') return new TransactionTimeoutError('The database stopped a statement that took too long.')
  if (state === '25P04') return new TransactionTimeoutError('The database ended a transaction that took too long.')
  if (state === '54000') {
    return new ValidationError(
      'A text is too long for an index that PostgreSQL keeps of its field. Shorten it, or give the field a maxLength.',
      { cause },
    )
  }
  if (state === '53100')
    return new StorageUnavailableError('storage_full', 'The disk of the database is full. Nothing was written.', { cause })
  if (state === '22003') return new InvalidQueryError('A result of this question is too large for a number. Narrow the question.')
  if (endsConnection(cause)) return lostConnection(cause)
  if (state.startsWith('53') || state.startsWith('58')) {
    return new StorageUnavailableError('storage_unavailable', `The database cannot do this now (${state}). Try again later.`, { cause })
  }
  if (state === '25006') {
    return new StorageUnavailableError('storage_unavailable', 'The database takes no writes: it is a standby, or was made read-only.', {
      cause,
    })
  }
  if (state === '42501' && cause.routine === 'ExecWithCheckOptions')
    return new ForbiddenError('A row would belong to another tenant than the one that this is done for.')
  if (state === '25P02') {
    return new StrongroomError(
      'internal_error',
      'An earlier statement of this unit failed, and PostgreSQL refuses the rest. Let its error pass, or put the statement into a nested transaction.',
      { cause },
    )
  }
  return new StrongroomError('internal_error', `The database refused a statement (${state}).`, { cause })
}

/** A statement that was to be read-only tried to write. */
export function unauditedWrite(cause?: unknown): UsageError {
  return new UsageError(
    'unaudited_write',
    'This statement would change the database past the audit log, or lock rows. Use the accessors, or say { unaudited: true }.',
    { cause },
  )
}
