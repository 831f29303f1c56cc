import { changesParameters, changesWaitHeader, lastEventIdHeader, requestIdHeader } from './parameters.ts'
import { type AnswerHeader, queryErrors, type Route } from './route.ts'

const headers: readonly AnswerHeader[] = [
  'X-Accel-Buffering',
  'Cache-Control',
  'X-Content-Type-Options',
  'Access-Control-Expose-Headers',
  'X-Request-Id',
]

/** The feed of changes: of the whole log below `/db`, of a component's records below the component. */
export const changesRoute: Route<'changes'> = {
  operation: 'changes',
  method: 'GET',
  path: '/changes',
  summary: 'Follows every committed change in order',
  description:
    'Server-sent events that go on for ever: `change` with an audit entry, and `reset` after a restore of the database. A client that comes back with the id of the last one misses nothing and gets nothing twice. With `Accept: application/json` the next changes are answered as soon as there are any.',
  parameters: [...changesParameters, lastEventIdHeader, changesWaitHeader, requestIdHeader],
  answers: [
    {
      status: 200,
      description: 'Changes as they come, or the next ones.',
      mediaType: 'text/event-stream',
      content: 'changeEvents',
      headers,
    },
    { status: 200, description: 'Changes as they come, or the next ones.', mediaType: 'application/json', content: 'changes', headers },
  ],
  errors: [...queryErrors, 'forbidden', 'gone', 'server_busy'],
  writes: false,
}
