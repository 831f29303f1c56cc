import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** Milliseconds for a client to notice that it was answered before it has sent all, and to read the answer. */
const lastMoment = 500

/** Leaves the bodies of a scope's requests to its handlers, which read them when they know that they want them. */
export function receiveUploads(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
  scope.addHook('onResponse', (request, _reply, done) => {
    cutOff(request.raw)
    done()
  })
}

/** What was answered before it had arrived is not read to its end, which may be far. */
function cutOff(request: IncomingMessage): void {
  // Tests inject requests that have no connection.
  if (request.complete !== false || request.httpVersionMajor > 1) return
  request.resume()
  const end = setTimeout(() => request.socket.destroy(), lastMoment)
  request.once('close', () => clearTimeout(end))
}
