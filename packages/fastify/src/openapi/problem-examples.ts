import { type ErrorCode, errorCatalogue, type ResponseStyle } from '@strongroom/contract'
import { problemOf, writeProblem } from '../problem.ts'
import type { Json } from './source.ts'

const details: Readonly<Partial<Record<ErrorCode, string>>> = {
  bad_request: 'The body is not JSON: Unexpected end of JSON input.',
  invalid_query: 'There is no field "nam". Fields: id, name.',
  missing_actor: 'Missing X-User header',
  forbidden: 'These routes are for operators.',
  not_found: 'users has no record 7.',
  unique_conflict: 'Another record of users has this email.',
  reference_conflict: 'owner points to a record that is not there.',
  record_limit: 'users holds as many records as it may.',
  too_many_matches: 'The filter holds for 120 records, and at_most is 100. Nothing was changed.',
  state_conflict: 'The record 7 of users is deleted. Restore it first.',
  gone: 'The history of 2025-01-01T00:00:00.000Z has been removed from the log. Ask for a later time.',
  precondition_failed: 'The record was changed since. Read it again.',
  payload_too_large: 'The body is larger than the 1048576 bytes that this route takes.',
  unsupported_media_type: 'Send the body as application/json.',
  validation_failed: 'email: is required',
  idempotency_mismatch: 'This Idempotency-Key was used for another request. Take a new one.',
  precondition_required: 'Send the ETag of the record as If-Match, so that nobody else’s change is lost.',
  too_many_requests: 'You may make 100 requests in 60 seconds. Try again in 12.',
  server_busy: 'The server has more to do than it can do in time. Nothing was done; try again.',
  internal_error: 'Something went wrong in the server. Its log has the details under this request id.',
  storage_busy: 'Other writers hold the database. Nothing was written; try again.',
  storage_unavailable: 'The database does not answer. Try again later.',
  storage_full: 'The disk is full. Nothing was written.',
  transaction_timeout: 'The transaction took too long. Nothing was written.',
  commit_unknown: 'The database was lost during the commit. Read whether the change is there before trying again.',
}

/** An error as this server answers it. */
export function problemExample(code: ErrorCode, style: ResponseStyle): Json {
  const detail = details[code] ?? `${errorCatalogue[code].title}.`
  const errors = code === 'validation_failed' ? [{ path: 'email', message: 'is required' }] : undefined
  const problem = problemOf({ code, detail, ...(errors && { errors }) }, '/users/7', '0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80')
  return { summary: errorCatalogue[code].title, value: JSON.parse(writeProblem(problem, style).text) as unknown }
}
