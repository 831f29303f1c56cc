import type { ErrorCode } from '@strongroom/contract'
import { QueryTimeoutError, StrongroomError, UsageError } from '../../errors.ts'
import { ConstraintViolation, type Statement } from '../engine.ts'
import { mapError, sqliteCode } from './errors.ts'
import type { HandleOptions } from './handle.ts'

/** What a large unit's thread is started with. */
export type LargeTask = Omit<HandleOptions, 'driver' | 'timeout'>

/** What the main thread asks for, one thing after the other. */
export type LargeCall =
  | { readonly name: 'begin' | 'commit' | 'rollBack' | 'leave' }
  /** `left`: milliseconds that the read may take. */
  | { readonly name: 'all'; readonly statement: Statement; readonly left: number | undefined }
  | { readonly name: 'run'; readonly statement: Statement }
  | { readonly name: 'raw'; readonly statement: Statement; readonly write: boolean }
  | { readonly name: 'savepoint' | 'release' | 'rollbackTo'; readonly savepoint: string }

/** What it gets for a list of calls: what the last one does, or why the first that failed did; the others behind it are not done. */
export type LargeAnswer = { readonly value: unknown } | { readonly error: ToldFailure }

/** An error in plain data: SQLite's own where there is one, else the library's. */
export interface ToldFailure {
  readonly message: string
  readonly sqlite: string | undefined
  readonly code: ErrorCode | undefined
}

export function tellFailure(error: unknown): ToldFailure {
  const own = error instanceof StrongroomError || error instanceof ConstraintViolation
  const raw = own && error.cause instanceof Error ? error.cause : error
  const sqlite = sqliteCode(raw)
  const told = sqlite === undefined ? error : raw
  return {
    message: told instanceof Error ? told.message : String(told),
    sqlite,
    code: error instanceof StrongroomError ? error.code : undefined,
  }
}

/** The error that was told, as this thread would have thrown it. */
export function heardFailure({ message, sqlite, code }: ToldFailure): Error {
  if (sqlite !== undefined) return mapError(Object.assign(new Error(message), { code: sqlite }))
  if (code === 'query_timeout') return new QueryTimeoutError()
  if (code === 'unaudited_write' || code === 'outer_handle' || code === 'session_finished') return new UsageError(code, message)
  return code === undefined ? mapError(new Error(message)) : new StrongroomError(code, message)
}
