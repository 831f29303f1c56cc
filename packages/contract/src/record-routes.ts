import { changesRoute } from './changes-route.ts'
import type { ErrorCode } from './error-codes.ts'
import {
  aggregateQueryParameters,
  at,
  bulkQueryParameters,
  diffParameters,
  dryRun,
  erase,
  fields,
  historyParameters,
  idempotencyKey,
  ifMatch,
  ifNoneMatch,
  include,
  includeDeleted,
  listQueryParameters,
  purge,
  replace,
  requestIdHeader,
  userHeader,
} from './parameters.ts'
import { type AnswerHeader, type Content, queryErrors, type Route, type RouteAnswer, writeErrors } from './route.ts'

/** What a record route does. */
export type RecordOperation =
  | 'list'
  | 'aggregate'
  | 'changes'
  | 'get'
  | 'create'
  | 'save'
  | 'patch'
  | 'patchMany'
  | 'delete'
  | 'deleteMany'
  | 'restore'
  | 'history'
  | 'diff'
  | 'revert'

/** What a route asks the rules of access for. */
export const askedAccess = {
  list: 'read',
  aggregate: 'read',
  changes: 'read',
  get: 'read',
  create: 'create',
  save: 'update',
  patch: 'update',
  patchMany: 'update',
  delete: 'delete',
  deleteMany: 'delete',
  restore: 'restore',
  history: 'read',
  diff: 'read',
  revert: 'update',
} as const satisfies Readonly<Record<RecordOperation, string>>

/** The media types of a JSON Merge Patch (RFC 7396): its own, and plain JSON, which most clients send. */
export const patchTypes = ['application/merge-patch+json', 'application/json'] as const

const answer = (status: number, description: string, content: Content, headers: readonly AnswerHeader[] = []): RouteAnswer => ({
  status,
  description,
  mediaType: 'application/json',
  content,
  headers: [...headers, 'X-Request-Id'],
})

/** What a write answers can be read by scripts, and may be an answer that was given before. */
const written = (status: number, description: string, content: Content, headers: readonly AnswerHeader[] = []): RouteAnswer =>
  answer(status, description, content, [...headers, 'Idempotent-Replayed', 'Access-Control-Expose-Headers'])

/** The errors of a route that asks what was: not all of that may be known any more. */
const pastErrors: readonly ErrorCode[] = [...queryErrors, 'gone']

const writeParameters = [dryRun, idempotencyKey, userHeader, requestIdHeader]

/** The routes of every component, in the order of the documentation. */
export const recordRoutes: readonly Route<RecordOperation>[] = [
  {
    operation: 'list',
    method: 'GET',
    path: '',
    summary: 'Lists records',
    description:
      'A page of the records that hold all conditions. `Link` leads to the other pages. With `at` they are those of then, as they were, and nothing is read along.',
    parameters: [...listQueryParameters, requestIdHeader],
    filters: true,
    paged: true,
    answers: [
      answer(200, 'A page of records.', 'selectedRecords', [
        'X-Total-Count',
        'Content-Range',
        'Link',
        'X-Next-Cursor',
        'X-Previous-Cursor',
        'Access-Control-Expose-Headers',
      ]),
    ],
    errors: pastErrors,
    writes: false,
  },
  {
    operation: 'aggregate',
    method: 'GET',
    path: '/aggregate',
    summary: 'Measures groups of records',
    description:
      'Counts, sums, averages, least and greatest values of the records that hold all conditions, for each group of them. Null is left out; a measure of nothing is null.',
    parameters: [...aggregateQueryParameters, requestIdHeader],
    filters: true,
    answers: [answer(200, 'A row for each group.', 'groups')],
    errors: queryErrors,
    writes: false,
  },
  changesRoute,
  {
    operation: 'get',
    method: 'GET',
    path: '/{id}',
    summary: 'Reads a record',
    description:
      'The record, with its version as `ETag` where it is answered whole. An id of the wrong shape names no record. With `at` it is the record of then, which has no version, and nothing is read along.',
    parameters: [includeDeleted, fields, include, at, ifNoneMatch, requestIdHeader],
    answers: [
      answer(200, 'The record.', 'selectedRecord', ['ETag', 'Access-Control-Expose-Headers']),
      {
        status: 304,
        description: 'The record is the one that the client has.',
        headers: ['ETag', 'Access-Control-Expose-Headers', 'X-Request-Id'],
      },
    ],
    errors: [...pastErrors, 'not_found'],
    writes: false,
  },
  {
    operation: 'create',
    method: 'POST',
    path: '',
    summary: 'Inserts a record, or all of several or none',
    description: 'An object inserts one record; an array inserts all of its records in one transaction, or none.',
    parameters: writeParameters,
    body: { mediaTypes: ['application/json'], content: ['newRecord', 'newRecords'] },
    answers: [written(201, 'The record, or the records in the order of the body.', 'recordOrRecords', ['Location', 'ETag'])],
    errors: [...writeErrors, 'unique_conflict', 'reference_conflict', 'record_limit'],
    writes: true,
  },
  {
    operation: 'save',
    method: 'PUT',
    path: '/{id}',
    summary: 'Changes the given fields of a record and keeps the rest; makes one at a UUID or text id',
    description:
      'Fields that are not given keep their values, unless `replace` says otherwise. A whole record that was read can be sent back: fields that the server keeps are accepted as they stand.',
    parameters: [replace, ifMatch, ifNoneMatch, ...writeParameters],
    body: { mediaTypes: ['application/json'], content: ['savedRecord'] },
    answers: [
      written(200, 'The record as it is now.', 'record', ['ETag']),
      written(201, 'The record that was made at this id.', 'record', ['Location', 'ETag']),
    ],
    errors: [
      ...writeErrors,
      'precondition_failed',
      'precondition_required',
      'not_found',
      'unique_conflict',
      'reference_conflict',
      'record_limit',
    ],
    writes: true,
  },
  {
    operation: 'patch',
    method: 'PATCH',
    path: '/{id}',
    summary: 'Changes a record by a JSON Merge Patch',
    description:
      'RFC 7396: the given fields are changed, null empties a field, and an object for a JSON field is merged into the one that stands there.',
    parameters: [ifMatch, ifNoneMatch, ...writeParameters],
    body: { mediaTypes: patchTypes, content: ['recordPatch'] },
    answers: [written(200, 'The record as it is now.', 'record', ['ETag'])],
    errors: [...writeErrors, 'precondition_failed', 'precondition_required', 'not_found', 'unique_conflict', 'reference_conflict'],
    writes: true,
  },
  {
    operation: 'patchMany',
    method: 'PATCH',
    path: '',
    summary: 'Changes every record that a filter holds for: all or none',
    description: 'The same JSON Merge Patch for each record that holds all conditions, in one transaction. There has to be a condition.',
    parameters: [...bulkQueryParameters, ...writeParameters],
    filters: true,
    body: { mediaTypes: patchTypes, content: ['recordPatch'] },
    answers: [written(200, 'The records that changed, as they are now.', 'records')],
    errors: [...writeErrors, 'too_many_matches', 'precondition_required', 'unique_conflict', 'reference_conflict'],
    writes: true,
  },
  {
    operation: 'delete',
    method: 'DELETE',
    path: '/{id}',
    summary: 'Deletes a record; only marks it where the model has soft delete',
    description:
      'Answers the record as it was left. One that is already deleted is not found, unless `purge` removes it for good. `erase` also takes what it was out of the log, and answers nothing of it.',
    parameters: [purge, erase, ifMatch, ifNoneMatch, ...writeParameters],
    answers: [written(200, 'The record that was deleted.', 'deletion', ['ETag'])],
    errors: [...writeErrors, 'precondition_failed', 'precondition_required', 'not_found', 'reference_conflict'],
    writes: true,
  },
  {
    operation: 'deleteMany',
    method: 'DELETE',
    path: '',
    summary: 'Deletes every record that a filter holds for: all or none',
    description: 'Deletes each record that holds all conditions, in one transaction. There has to be a condition.',
    parameters: [...bulkQueryParameters, purge, ...writeParameters],
    filters: true,
    answers: [written(200, 'How many records were deleted.', 'bulkDeletion')],
    errors: [...writeErrors, 'too_many_matches', 'precondition_required', 'reference_conflict'],
    writes: true,
  },
  {
    operation: 'restore',
    method: 'POST',
    path: '/{id}/restore',
    summary: 'Brings a soft-deleted record back',
    description: 'Answers whether the record was deleted. One that was not stays as it is.',
    parameters: [ifMatch, ifNoneMatch, ...writeParameters],
    answers: [written(200, 'Whether it was deleted and is back.', 'restoration')],
    errors: [...writeErrors, 'precondition_failed', 'not_found', 'unique_conflict', 'reference_conflict', 'record_limit', 'state_conflict'],
    writes: true,
  },
  {
    operation: 'history',
    method: 'GET',
    path: '/{id}/history',
    summary: 'Lists the audit entries of a record, newest first',
    description:
      'Also of a record that is gone. Entries of which the caller might not read what they show are left out. `Link` leads to the other pages.',
    parameters: [...historyParameters, requestIdHeader],
    paged: true,
    answers: [answer(200, 'The entries.', 'auditEntries', ['Link', 'Access-Control-Expose-Headers'])],
    errors: [...queryErrors, 'not_found'],
    writes: false,
  },
  {
    operation: 'diff',
    method: 'GET',
    path: '/{id}/diff',
    summary: 'Tells which fields of a record differ between two moments',
    description: 'The record at both moments, null where it was not there, and the fields that differ. Deleted records are seen.',
    parameters: [...diffParameters, requestIdHeader],
    answers: [answer(200, 'The difference.', 'recordDiff')],
    errors: [...pastErrors, 'not_found'],
    writes: false,
  },
  {
    operation: 'revert',
    method: 'POST',
    path: '/{id}/revert',
    summary: 'Makes a record what it was at an instant, or what an audit entry left',
    description:
      'A write like any other. A deleted record is restored, and one that is gone is made anew at its id. Secret fields, and those that the caller may not set, stay as they are.',
    parameters: [ifMatch, ifNoneMatch, ...writeParameters],
    body: { mediaTypes: ['application/json'], content: ['revertTarget'] },
    answers: [written(200, 'The record as it is now.', 'record', ['ETag'])],
    errors: [
      ...writeErrors,
      'precondition_failed',
      'precondition_required',
      'not_found',
      'gone',
      'unique_conflict',
      'reference_conflict',
      'record_limit',
    ],
    writes: true,
  },
]
