import type { Content, Route } from './route.ts'

/** What a system route does. */
export type SystemOperation = 'health' | 'ready' | 'openapi' | 'docs'

const systemRoute = (
  operation: SystemOperation,
  path: `/${string}`,
  summary: string,
  mediaType: string,
  content: Content,
): Route<SystemOperation> => ({
  operation,
  method: 'GET',
  path,
  summary,
  parameters: [],
  answers: [{ status: 200, description: summary, mediaType, content, headers: [] }],
  errors: [],
  writes: false,
})

/** The routes of the server itself; a server can move each or leave it out. */
export const systemRoutes: readonly Route<SystemOperation>[] = [
  systemRoute('health', '/health', 'Says that the process is alive', 'application/json', 'status'),
  systemRoute('ready', '/ready', 'Says that requests can be served', 'application/json', 'status'),
  systemRoute('openapi', '/openapi.json', 'Describes the API as OpenAPI 3.1', 'application/json', 'openapi'),
  systemRoute('docs', '/docs', 'Shows the API and lets you try it', 'text/html', 'html'),
]

/** Names that no component may have: the paths of the routes that are no records. */
export const reservedComponents = ['batch', 'db', 'auth', 'health', 'ready', 'metrics', 'docs'] as const
