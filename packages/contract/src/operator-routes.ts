import { auditParameters, requestIdHeader } from './parameters.ts'
import { queryErrors, type Route } from './route.ts'

/** What a route under `/db` does. */
export type OperatorOperation = 'health' | 'audit'

/** The routes of the operators, below `/db`. */
export const operatorRoutes: readonly Route<OperatorOperation>[] = [
  {
    operation: 'health',
    method: 'GET',
    path: '/health',
    summary: 'Asks the database something; operators also see which one it is and how long it took',
    parameters: [requestIdHeader],
    answers: [
      { status: 200, description: 'The database answers.', mediaType: 'application/json', content: 'status', headers: ['X-Request-Id'] },
    ],
    errors: queryErrors,
    writes: false,
  },
  {
    operation: 'audit',
    method: 'GET',
    path: '/audit',
    summary: 'Lists audit entries, newest first',
    parameters: [...auditParameters, requestIdHeader],
    answers: [
      {
        status: 200,
        description: 'The entries that all parameters hold for.',
        mediaType: 'application/json',
        content: 'auditEntries',
        headers: ['Link', 'X-Request-Id'],
      },
    ],
    errors: [...queryErrors, 'forbidden'],
    writes: false,
  },
]
