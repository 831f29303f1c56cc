import type { ErrorCode } from './error-codes.ts'
import { requestIdHeader } from './parameters.ts'
import type { AnswerHeader, Route, RouteAnswer } from './route.ts'

/** What a system route does. */
export type SystemOperation = 'health' | 'ready' | 'metrics' | 'openapi' | 'docs'

const errors: { readonly [Operation in SystemOperation]?: readonly ErrorCode[] } = {
  ready: ['storage_unavailable'],
  metrics: ['forbidden'],
}

const systemRoute = (
  route: Pick<Route<SystemOperation>, 'operation' | 'path' | 'summary' | 'description'>,
  { headers = [], ...answer }: Omit<RouteAnswer, 'status' | 'description' | 'headers'> & { readonly headers?: readonly AnswerHeader[] },
): Route<SystemOperation> => ({
  ...route,
  method: 'GET',
  parameters: [requestIdHeader],
  answers: [{ status: 200, description: `${route.summary}.`, ...answer, headers: [...headers, 'X-Request-Id'] }],
  errors: errors[route.operation] ?? [],
  writes: false,
})

/** The routes of the server itself; a server can move each or leave it out. */
export const systemRoutes: readonly Route<SystemOperation>[] = [
  systemRoute(
    {
      operation: 'health',
      path: '/health',
      summary: 'Says that the process is alive',
      description: 'Asks nothing of the database: it is for those who restart a process that hangs.',
    },
    { mediaType: 'application/json', content: 'status', headers: ['Cache-Control'] },
  ),
  systemRoute(
    {
      operation: 'ready',
      path: '/ready',
      summary: 'Says that requests can be served',
      description: 'Asks the database something: it is for those who pass requests on.',
    },
    { mediaType: 'application/json', content: 'status', headers: ['Cache-Control'] },
  ),
  systemRoute(
    {
      operation: 'metrics',
      path: '/metrics',
      summary: 'Tells figures for Prometheus',
      description: 'What this process has done, and how its database is: for operators. No record or name of a person is in it.',
    },
    { mediaType: 'text/plain', content: 'metrics', headers: ['Cache-Control'] },
  ),
  systemRoute(
    {
      operation: 'openapi',
      path: '/openapi.json',
      summary: 'Describes the API as OpenAPI 3.1',
      description: 'This document, made from the models of this server.',
    },
    { mediaType: 'application/json', content: 'openapi' },
  ),
  systemRoute(
    {
      operation: 'docs',
      path: '/docs',
      summary: 'Shows the API and lets you try it',
      description: 'A page for people. All that it loads comes from this server.',
    },
    { mediaType: 'text/html', content: 'html', headers: ['Content-Security-Policy'] },
  ),
]

/** Names that no component may have: the paths of the routes that are no records. */
export const reservedComponents = ['batch', 'db', 'auth', 'health', 'ready', 'metrics', 'docs'] as const
