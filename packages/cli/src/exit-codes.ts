import { Fault, Unreachable, WrongUse } from './faults.ts'

/** What scripts can tell apart; `docs/reference/cli.md` lists them. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  /** The content is not acceptable, and nothing was changed: trying again will not help. */
  refused: 3,
  /** The server or the database cannot be reached, or is busy: later it may work. */
  unavailable: 4,
  /** It was asked whether somebody may do something, and the answer is no. */
  denied: 5,
  /** As shells count: 128 and the number of SIGINT. */
  interrupted: 130,
} as const

const wrongUseCodes = new Set(['invalid_options', 'invalid_query', 'bad_request'])

/** Statuses that say that the content, or what is stored, stands against it. */
const refusals = new Set([409, 412, 413, 415, 422])
/** Statuses that say that it may work later. */
const later = new Set([429, 502, 503, 504])

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof WrongUse) return exitCodes.wrongUse
  if (error instanceof Unreachable) return exitCodes.unavailable
  const { code, status } = known(error)
  if (wrongUseCodes.has(code)) return exitCodes.wrongUse
  if (refusals.has(status) || code === 'schema_mismatch') return exitCodes.refused
  return later.has(status) ? exitCodes.unavailable : exitCodes.failed
}

function known(error: unknown): { readonly code: string; readonly status: number } {
  if (error instanceof Fault) return error
  // Known by what they have, and not by their class: the accessors' module may bring a copy of the library of its own.
  if (error instanceof Error && 'code' in error && 'status' in error) return { code: String(error.code), status: Number(error.status) }
  return { code: '', status: 0 }
}
