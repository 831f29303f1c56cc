import {
  aggregateQueryParameters,
  dryRun,
  fields,
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
export type RecordOperation = 'list' | 'aggregate' | 'get' | 'create' | 'save' | 'patch' | 'delete' | 'restore'

/** The media types of a JSON Merge Patch (RFC 7396): its own, and plain JSON, which most clients send. */
export const patchTypes = ['application/merge-patch+json', 'application/json'] as const

const answer = (status: number, description: string, content: Content, headers: readonly AnswerHeader[] = []): RouteAnswer => ({
  status,
  description,
  mediaType: 'application/json',
  content,
  headers: [...headers, 'X-Request-Id'],
})

const writeParameters = [dryRun, idempotencyKey, userHeader, requestIdHeader]

/** The routes of every component, in the order of the documentation. */
export const recordRoutes: readonly Route<RecordOperation>[] = [
  {
    operation: 'list',
    method: 'GET',
    path: '',
    summary: 'Lists records',
    parameters: [...listQueryParameters, requestIdHeader],
    filters: true,
    answers: [answer(200, 'A page of records.', 'records', ['X-Total-Count', 'Content-Range', 'Link'])],
    errors: queryErrors,
    writes: false,
  },
  {
    operation: 'aggregate',
    method: 'GET',
    path: '/aggregate',
    summary: 'Measures groups of records',
    parameters: [...aggregateQueryParameters, requestIdHeader],
    filters: true,
    answers: [answer(200, 'A row for each group.', 'groups')],
    errors: queryErrors,
    writes: false,
  },
  {
    operation: 'get',
    method: 'GET',
    path: '/{id}',
    summary: 'Reads a record',
    parameters: [includeDeleted, fields, include, ifNoneMatch, requestIdHeader],
    answers: [
      answer(200, 'The record.', 'record', ['ETag']),
      { status: 304, description: 'The record is the one that the client has.', headers: ['ETag', 'X-Request-Id'] },
    ],
    errors: [...queryErrors, 'not_found'],
    writes: false,
  },
  {
    operation: 'create',
    method: 'POST',
    path: '',
    summary: 'Inserts a record, or all of several or none',
    parameters: writeParameters,
    body: { mediaTypes: ['application/json'], content: ['newRecord', 'newRecords'] },
    answers: [answer(201, 'The record, or the records in the order of the body.', 'recordOrRecords', ['Location', 'ETag'])],
    errors: [...writeErrors, 'unique_conflict', 'reference_conflict', 'record_limit'],
    writes: true,
  },
  {
    operation: 'save',
    method: 'PUT',
    path: '/{id}',
    summary: 'Changes the given fields of a record and keeps the rest; makes one at a UUID or text id',
    parameters: [replace, ifMatch, ifNoneMatch, ...writeParameters],
    body: { mediaTypes: ['application/json'], content: ['savedRecord'] },
    answers: [
      answer(200, 'The record as it is now.', 'record', ['ETag']),
      answer(201, 'The record that was made at this id.', 'record', ['Location', 'ETag']),
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
    parameters: [ifMatch, ...writeParameters],
    body: { mediaTypes: patchTypes, content: ['recordPatch'] },
    answers: [answer(200, 'The record as it is now.', 'record', ['ETag'])],
    errors: [...writeErrors, 'precondition_failed', 'precondition_required', 'not_found', 'unique_conflict', 'reference_conflict'],
    writes: true,
  },
  {
    operation: 'delete',
    method: 'DELETE',
    path: '/{id}',
    summary: 'Deletes a record; only marks it where the model has soft delete',
    parameters: [purge, ifMatch, ...writeParameters],
    answers: [answer(200, 'The record that was deleted.', 'deletion')],
    errors: [...writeErrors, 'precondition_failed', 'precondition_required', 'not_found', 'reference_conflict'],
    writes: true,
  },
  {
    operation: 'restore',
    method: 'POST',
    path: '/{id}/restore',
    summary: 'Brings a soft-deleted record back',
    parameters: writeParameters,
    answers: [answer(200, 'Whether it was deleted and is back.', 'restoration')],
    errors: [...writeErrors, 'not_found', 'unique_conflict', 'reference_conflict', 'record_limit', 'state_conflict'],
    writes: true,
  },
]
