import { auditParameters, diagramParameters, requestIdHeader } from './parameters.ts'
import { type Content, queryErrors, type Route, type RouteAnswer } from './route.ts'

/** What a route under `/db` does. */
export type OperatorOperation = 'health' | 'audit' | 'diagram'

const diagramAnswer = (mediaType: string, content: Content): RouteAnswer => ({
  status: 200,
  description: 'The diagram: a picture, or its source in the language of Graphviz.',
  mediaType,
  content,
  headers: ['Cache-Control', 'Content-Security-Policy', 'X-Content-Type-Options', 'X-Request-Id'],
})

/** The routes of the operators, below `/db`. */
export const operatorRoutes: readonly Route<OperatorOperation>[] = [
  {
    operation: 'health',
    method: 'GET',
    path: '/health',
    summary: 'Asks the database something; operators also see which one it is and how long it took',
    description: 'A real query, so that it fails when the database does.',
    parameters: [requestIdHeader],
    answers: [
      {
        status: 200,
        description: 'The database answers.',
        mediaType: 'application/json',
        content: 'status',
        headers: ['Cache-Control', 'X-Request-Id'],
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
]
