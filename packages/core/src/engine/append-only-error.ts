import { UsageError } from '../errors.ts'

/** The database itself refused a statement that would have changed the audit log. */
export function appendOnlyError(cause: unknown): UsageError {
  return new UsageError(
    'unaudited_write',
    'The audit log is append-only: its entries and its head are written by the library, and are not changed or removed past it.',
    { cause },
  )
}
