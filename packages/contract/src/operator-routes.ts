import { changesRoute } from './changes-route.ts'
import type { ErrorCode } from './error-codes.ts'
import { type EvidenceOperation, evidenceRoutes } from './evidence-routes.ts'
import { guarded, guardedAnswer } from './guarded-answer.ts'
import {
  auditParameters,
  diagramParameters,
  exportParameters,
  idempotencyKey,
  importParameters,
  operatorHeader,
  preferHeader,
  requestIdHeader,
  restoreParameters,
  revertParameters,
  undoRestoreParameters,
} from './parameters.ts'
import { type Content, queryErrors, type Route, type RouteAnswer, writeErrors } from './route.ts'

/** What a route under `/db` does. */
export type OperatorOperation =
  | 'health'
  | 'audit'
  | EvidenceOperation
  | 'changes'
  | 'diagram'
  | 'export'
  | 'import'
  | 'jobs'
  | 'job'
  | 'cancelJob'
  | 'explainAccess'
  | 'backup'
  | 'backups'
  | 'restore'
  | 'undoRestore'
  | 'revert'

/** The media types of a database file on its own: the registered one is accepted too. */
export const databaseTypes: readonly string[] = ['application/x-sqlite3', 'application/vnd.sqlite3', 'application/octet-stream']

/** The media types of a zip on its own. */
export const zipTypes: readonly string[] = ['application/zip', 'application/x-zip-compressed']

const diagramAnswer = (mediaType: string, content: Content): RouteAnswer => ({
  status: 200,
  description: 'The diagram: a picture, or its source in the language of Graphviz.',
  mediaType,
  content,
  headers: ['Cache-Control', 'Content-Security-Policy', 'X-Content-Type-Options', 'X-Request-Id'],
})

const download = (description: string, mediaType: string, content: Content): RouteAnswer => ({
  status: 200,
  description,
  mediaType,
  content,
  headers: ['Content-Disposition', 'Access-Control-Expose-Headers', 'Cache-Control', 'X-Content-Type-Options', 'X-Request-Id'],
})

const restoreAnswer: RouteAnswer = {
  status: 200,
  description: 'What was restored, or would be.',
  mediaType: 'application/json',
  content: 'restoreReport',
  headers: ['Cache-Control', 'X-Content-Type-Options', 'X-Request-Id'],
}

const transferErrors: readonly ErrorCode[] = ['invalid_query', 'forbidden', 'storage_busy', 'storage_unavailable', 'storage_full']

const downloadErrors: readonly ErrorCode[] = [...transferErrors, 'server_busy']

const restoreErrors: readonly ErrorCode[] = [
  ...transferErrors,
  'missing_actor',
  'unsupported_media_type',
  'payload_too_large',
  'validation_failed',
  'state_conflict',
]

const jobErrors: readonly ErrorCode[] = [...queryErrors, 'forbidden']

/** The routes of the operators, below `/db`. */
export const operatorRoutes: readonly Route<OperatorOperation>[] = [
  {
    operation: 'health',
    method: 'GET',
    path: '/health',
    summary: 'Asks the database something; operators also see how it is',
    description: 'Real queries, so that it fails when the database does, or takes longer than 2 seconds.',
    parameters: [requestIdHeader],
    answers: [
      {
        status: 200,
        description: 'The database answers.',
        mediaType: 'application/json',
        content: 'status',
        headers: ['Cache-Control', 'X-Content-Type-Options', 'X-Request-Id'],
      },
    ],
    errors: queryErrors,
    writes: false,
  },
  {
    operation: 'audit',
    method: 'GET',
    path: '/audit',
    summary: 'Lists audit entries, newest first',
    description: 'All parameters must hold. The log is read in pages, which `Link` leads to.',
    paged: true,
    parameters: [...auditParameters, requestIdHeader],
    answers: [
      {
        status: 200,
        description: 'The entries that all parameters hold for.',
        mediaType: 'application/json',
        content: 'auditEntries',
        headers: ['Link', 'Access-Control-Expose-Headers', 'Cache-Control', 'X-Content-Type-Options', 'X-Request-Id'],
      },
    ],
    errors: [...queryErrors, 'forbidden'],
    writes: false,
  },
  changesRoute,
  ...evidenceRoutes,
  {
    operation: 'diagram',
    method: 'GET',
    path: '/diagram.svg',
    summary: 'Draws the tables with their fields, keys and references',
    description: 'A picture for people, light or dark as its viewer is, laid out by Graphviz. No value of any record is in it.',
    parameters: [...diagramParameters, requestIdHeader],
    answers: [diagramAnswer('image/svg+xml', 'svg'), diagramAnswer('text/vnd.graphviz', 'dot')],
    errors: ['invalid_query', 'forbidden'],
    writes: false,
  },
  {
    operation: 'export',
    method: 'GET',
    path: '/export.zip',
    summary: 'Exports every table as a CSV file in a zip',
    description: 'One moment of the database, streamed. A download that was cut off never looks whole.',
    parameters: [...exportParameters, requestIdHeader],
    answers: [download('A CSV file for each table, and a manifest.', 'application/zip', 'zip')],
    errors: downloadErrors,
    writes: false,
  },
  {
    operation: 'import',
    method: 'POST',
    path: '/import',
    summary: 'Imports a zip of CSV files, or CSV files',
    description:
      'All rows or none, each validated and audited. Work that takes longer than the request waits is answered with a job, which goes on by itself.',
    parameters: [...importParameters, preferHeader, operatorHeader, requestIdHeader],
    body: { mediaTypes: ['multipart/form-data'], content: ['importForm'] },
    otherBodies: [
      { mediaTypes: zipTypes, content: ['zip'] },
      { mediaTypes: ['text/csv'], content: ['csv'] },
    ],
    answers: [
      guardedAnswer('What was imported, or would be.', 'importReport'),
      {
        status: 202,
        description: 'The import goes on as a job.',
        mediaType: 'application/json',
        content: 'job',
        headers: ['Location', 'Access-Control-Expose-Headers', ...guarded],
      },
    ],
    errors: [...restoreErrors, 'record_limit', 'commit_unknown'],
    writes: true,
  },
  {
    operation: 'jobs',
    method: 'GET',
    path: '/jobs',
    summary: 'Lists jobs, newest first',
    description: 'The newest 100 that run, or have ended in the last 7 days.',
    parameters: [requestIdHeader],
    answers: [guardedAnswer('The jobs.', 'jobs')],
    errors: jobErrors,
    writes: false,
  },
  {
    operation: 'job',
    method: 'GET',
    path: '/jobs/{id}',
    summary: 'Tells how far a job is, or how it ended',
    description: 'Of a job that another process runs its progress is some seconds old.',
    parameters: [requestIdHeader],
    answers: [guardedAnswer('The job.', 'job')],
    errors: [...jobErrors, 'not_found'],
    writes: false,
  },
  {
    operation: 'cancelJob',
    method: 'DELETE',
    path: '/jobs/{id}',
    summary: 'Cancels a job',
    description: 'Nothing is left of what it did. The answer waits 2 seconds for its end.',
    parameters: [requestIdHeader],
    answers: [guardedAnswer('The job: cancelled, or still running, and told to end.', 'job')],
    errors: [...jobErrors, 'not_found', 'state_conflict', 'storage_full'],
    writes: true,
  },
  {
    operation: 'explainAccess',
    method: 'POST',
    path: '/explain-access',
    summary: 'Tells which rule lets a caller do something, or keeps it from it',
    description: 'Nothing is done or written. With an id the question is about that record.',
    parameters: [requestIdHeader],
    body: { mediaTypes: ['application/json'], content: ['accessQuestion'] },
    answers: [guardedAnswer('Whether, by which rule, and why.', 'accessAnswer')],
    errors: ['invalid_query', 'bad_request', 'forbidden', 'unsupported_media_type', 'payload_too_large', 'validation_failed'],
    writes: false,
  },
  {
    operation: 'backup',
    method: 'GET',
    path: '/backup.sqlite',
    summary: 'Makes a backup of everything as one SQLite file',
    description: 'It holds every write that was acknowledged before, and passed the checks of SQLite.',
    parameters: [requestIdHeader],
    answers: [download('The file.', 'application/x-sqlite3', 'database')],
    errors: downloadErrors,
    writes: false,
  },
  {
    operation: 'backups',
    method: 'GET',
    path: '/backups',
    summary: 'Lists the scheduled backups, newest first',
    description: 'The newest 1000, with the verdict on each; failed ones are among them. A server without a schedule has none.',
    parameters: [requestIdHeader],
    answers: [
      {
        status: 200,
        description: 'The backups.',
        mediaType: 'application/json',
        content: 'backups',
        headers: ['Cache-Control', 'X-Content-Type-Options', 'X-Request-Id'],
      },
    ],
    errors: [...queryErrors, 'forbidden'],
    writes: false,
  },
  {
    operation: 'restore',
    method: 'POST',
    path: '/restore',
    summary: 'Puts a backup in the place of what the database holds',
    description: 'What is replaced stays as a safety copy. A file that cannot be trusted is refused, and nothing is changed.',
    parameters: [...restoreParameters, operatorHeader, requestIdHeader],
    body: { mediaTypes: ['multipart/form-data'], content: ['databaseForm'] },
    otherBodies: [{ mediaTypes: databaseTypes, content: ['database'] }],
    answers: [restoreAnswer],
    errors: restoreErrors,
    writes: true,
  },
  {
    operation: 'undoRestore',
    method: 'POST',
    path: '/restore/undo',
    summary: 'Brings back what the last restore has replaced',
    description: 'The safety copy of the last restore goes the same road as a backup.',
    parameters: [...undoRestoreParameters, operatorHeader, requestIdHeader],
    answers: [restoreAnswer],
    errors: restoreErrors,
    writes: true,
  },
  {
    operation: 'revert',
    method: 'POST',
    path: '/revert',
    summary: 'Undoes what one request, batch, import or actor did',
    description:
      'All of it in one transaction, or nothing: what was made goes, what was changed or removed is again what it was. What others have changed later stands against it, unless it is to be left out.',
    parameters: [...revertParameters, idempotencyKey, operatorHeader, requestIdHeader],
    body: { mediaTypes: ['application/json'], content: ['revertQuestion'] },
    answers: [guardedAnswer('What was undone, or would be.', 'revertReport')],
    errors: [
      ...writeErrors.filter((code) => code !== 'missing_actor'),
      'forbidden',
      'not_found',
      'gone',
      'too_many_matches',
      'unique_conflict',
      'reference_conflict',
      'record_limit',
    ],
    writes: true,
  },
]
