/**
 * Every error a Strongroom storage or server can answer with: its stable code, its HTTP status and its title.
 * Codes are forever; statuses follow RFC 9110, RFC 6585 and RFC 4918 (507).
 */
export const errorCatalogue = {
  bad_request: { status: 400, title: 'Bad request' },
  invalid_query: { status: 400, title: 'Invalid query' },
  query_timeout: { status: 400, title: 'Query took too long' },
  missing_actor: { status: 400, title: 'Missing actor' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  forbidden: { status: 403, title: 'Forbidden' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  unique_conflict: { status: 409, title: 'Already exists' },
  reference_conflict: { status: 409, title: 'Reference conflict' },
  record_limit: { status: 409, title: 'Record limit reached' },
  too_many_matches: { status: 409, title: 'More records match than may be changed' },
  state_conflict: { status: 409, title: 'State conflict' },
  migration_refused: { status: 409, title: 'Migration refused' },
  migration_changed: { status: 409, title: 'Applied migration was changed' },
  gone: { status: 410, title: 'Gone' },
  precondition_failed: { status: 412, title: 'Precondition failed' },
  payload_too_large: { status: 413, title: 'Payload too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  validation_failed: { status: 422, title: 'Validation failed' },
  idempotency_mismatch: { status: 422, title: 'Key used for another request' },
  precondition_required: { status: 428, title: 'Precondition required' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Internal error' },
  invalid_definition: { status: 500, title: 'Invalid model definition' },
  invalid_options: { status: 500, title: 'Invalid options' },
  invalid_settings: { status: 500, title: 'Invalid settings' },
  schema_mismatch: { status: 500, title: 'Database does not fit the models' },
  session_finished: { status: 500, title: 'Session is finished' },
  outer_handle: { status: 500, title: 'Outer handle used inside a transaction' },
  unaudited_write: { status: 500, title: 'Unaudited write refused' },
  server_busy: { status: 503, title: 'Server is busy' },
  storage_closed: { status: 503, title: 'Storage is closed' },
  storage_busy: { status: 503, title: 'Storage is busy' },
  storage_unavailable: { status: 503, title: 'Storage is unavailable' },
  commit_unknown: { status: 503, title: 'Outcome of the commit is unknown' },
  transaction_timeout: { status: 503, title: 'Transaction took too long' },
  storage_full: { status: 507, title: 'Storage is full' },
} as const satisfies Record<string, { status: number; title: string }>

/** A stable error code, e.g. `unique_conflict`. */
export type ErrorCode = keyof typeof errorCatalogue
