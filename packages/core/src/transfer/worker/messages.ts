import type { ErrorCode } from '@strongroom/contract'
import {
  ConflictError,
  StorageBusyError,
  StorageUnavailableError,
  StrongroomError,
  type UnavailableCode,
  UsageError,
} from '../../errors.ts'

/** What a thread is started with. */
export interface WorkerData {
  readonly task: unknown
  /** How busy the main thread is, in thousandths of its time. */
  readonly load: Int32Array
}

/** What a thread that makes bytes tells the main one. */
export type FromWorker =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'step'; readonly step: string }
  | { readonly type: 'done'; readonly report: unknown }
  | { readonly type: 'failed'; readonly error: ToldError }

/** What the main thread tells it: more bytes are wanted. */
export interface ToWorker {
  readonly type: 'more'
}

/** An error in plain data. */
export interface ToldError {
  readonly code: ErrorCode | undefined
  readonly message: string
  readonly stack: string | undefined
}

/** An error as it goes from thread to thread. */
export function tellError(error: unknown): ToldError {
  if (!(error instanceof Error)) return { code: undefined, message: String(error), stack: undefined }
  return { code: error instanceof StrongroomError ? error.code : undefined, message: error.message, stack: error.stack }
}

/** The error that was told. */
export function heardError({ code, message, stack }: ToldError): Error {
  if (code === undefined) return Object.assign(new Error(message), { ...(stack !== undefined && { stack }) })
  // What threads find wrong with what they were asked for; of other kinds the code alone is looked at.
  if (code === 'state_conflict') return new ConflictError(code, message, [], { cause: stack })
  if (code === 'invalid_options') return new UsageError(code, message, { cause: stack })
  if (code === 'storage_busy') return new StorageBusyError(message, { cause: stack })
  return isUnavailable(code)
    ? new StorageUnavailableError(code, message, { cause: stack })
    : new StrongroomError(code, message, { cause: stack })
}

const unavailable: readonly string[] = [
  'storage_unavailable',
  'storage_closed',
  'storage_full',
  'commit_unknown',
] satisfies UnavailableCode[]

function isUnavailable(code: ErrorCode): code is UnavailableCode {
  return unavailable.includes(code)
}
