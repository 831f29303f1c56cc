import { StorageBusyError, StorageUnavailableError, StrongroomError } from '../../errors.ts'
import { appendOnlyError } from '../append-only-error.ts'
import { ConstraintViolation } from '../engine.ts'
import { appendOnly } from './log-guard.ts'

/** SQLite's name of a failure, e.g. `SQLITE_CONSTRAINT_UNIQUE`, or undefined when it is not one of SQLite's. */
export function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return error.code.startsWith('SQLITE_') ? error.code : undefined
}

/** Another connection holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code !== undefined && /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)
}

/** Turns what the driver threw into an error of this library. Its text has no SQL, path or value; the cause keeps them. */
export function mapError(error: unknown): Error {
  if (error instanceof StrongroomError || error instanceof ConstraintViolation) return error
  const code = sqliteCode(error)
  if (code !== undefined && error instanceof Error) {
    if (code === 'SQLITE_CONSTRAINT_TRIGGER' && error.message === appendOnly) return appendOnlyError(error)
    if (code.startsWith('SQLITE_CONSTRAINT') || code === 'SQLITE_MISMATCH') return violation(code, error)
    if (isBusy(error)) return busy(error)
    if (fullCodes.has(code)) return full(error)
    if (unavailableCodes.test(code)) return unavailable(error)
  }
  return new StrongroomError('internal_error', 'The database refused a statement; the cause of this error tells why.', { cause: error })
}

/** SQLite says the second one where the index of the write-ahead log cannot grow (https://sqlite.org/rescode.html#ioerr_shmsize). */
const fullCodes = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE'])

const unavailableCodes = /^SQLITE_(IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM|PERM|AUTH|NOLFS)/

export function busy(cause: unknown): StorageBusyError {
  return new StorageBusyError('Another process holds the database. Nothing was written; try again.', { cause })
}

function full(cause: unknown): StorageUnavailableError {
  return new StorageUnavailableError(
    'storage_full',
    'The disk, or the space that the database may take, is full. Nothing was written; make room and try again.',
    {
      cause,
    },
  )
}

function unavailable(cause: unknown): StorageUnavailableError {
  return new StorageUnavailableError(
    'storage_unavailable',
    'The database file cannot be read or written. Nothing was written; check the disk and the permissions of the file.',
    { cause },
  )
}

export function closed(): StorageUnavailableError {
  return new StorageUnavailableError('storage_closed', 'The storage is closed. Open it again before using it.')
}

function violation(code: string, error: Error): ConstraintViolation {
  const about = constraintIn(error.message)
  switch (code) {
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY':
    case 'SQLITE_CONSTRAINT_ROWID':
      return new ConstraintViolation('unique', { ...about, cause: error })
    case 'SQLITE_CONSTRAINT_NOTNULL':
      return new ConstraintViolation('notNull', { ...about, cause: error })
    case 'SQLITE_CONSTRAINT_FOREIGNKEY':
      return new ConstraintViolation('reference', { cause: error })
    case 'SQLITE_CONSTRAINT_TRIGGER':
      // ON DELETE RESTRICT reports itself as a trigger.
      if (error.message.startsWith('FOREIGN KEY')) return new ConstraintViolation('reference', { cause: error })
      return new ConstraintViolation('check', { constraint: error.message, cause: error })
    default:
      return new ConstraintViolation('check', { ...about, cause: error })
  }
}

/** Reads `UNIQUE constraint failed: users.email, users.tenant`, `… failed: index 'name'`, `… in INTEGER column users.age`. */
function constraintIn(message: string): { table?: string; columns?: string[]; constraint?: string } {
  const datatype = /^cannot store \w+ value in \w+ column (.+)$/s.exec(message)
  const named = datatype?.[1] ?? /^[A-Z ]+ constraint failed: (.+)$/s.exec(message)?.[1]
  if (named === undefined) return {}
  const index = /^index '(.+)'$/s.exec(named)
  if (index?.[1] !== undefined) return { constraint: index[1] }
  if (message.startsWith('CHECK')) return { constraint: named }
  const places = named.split(', ').map((place) => place.split('.'))
  const table = places[0]?.[0]
  const columns = places.map(([, ...column]) => column.join('.'))
  return table === undefined ? {} : { table, columns }
}
