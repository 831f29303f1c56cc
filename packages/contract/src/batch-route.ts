import { dryRun, idempotencyKey, requestIdHeader, userHeader } from './parameters.ts'
import { type Route, writeErrors } from './route.ts'

/** What one operation of a batch does. */
export const batchMethods = ['create', 'save', 'patch', 'delete', 'restore'] as const

/** One of `batchMethods`. */
export type BatchMethod = (typeof batchMethods)[number]

/** Operations that one batch may have. */
export const mostOperations = 100

/** `POST /batch`: operations of several components in one transaction. */
export const batchRoute: Route<'batch'> = {
  operation: 'batch',
  method: 'POST',
  path: '/batch',
  summary: 'Runs operations of several components in one transaction: all or none',
  description:
    'A text like `$0.id` in an id or a body stands for a field of the record that an earlier operation answered, counted from 0. When an operation fails nothing is done, and the problem has its number.',
  parameters: [dryRun, idempotencyKey, userHeader, requestIdHeader],
  body: { mediaTypes: ['application/json'], content: ['batch'] },
  answers: [
    {
      status: 200,
      description: 'A result for each operation, in their order.',
      mediaType: 'application/json',
      content: 'batchResults',
      headers: ['Idempotent-Replayed', 'Access-Control-Expose-Headers', 'X-Request-Id'],
    },
  ],
  errors: [
    ...writeErrors,
    'not_found',
    'precondition_failed',
    'precondition_required',
    'unique_conflict',
    'reference_conflict',
    'record_limit',
  ],
  writes: true,
}
