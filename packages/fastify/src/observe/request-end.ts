import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Is told of a request's end; `aborted` says that its client went before its answer was sent. */
export type RequestEnd = (request: FastifyRequest, reply: FastifyReply, aborted: boolean) => void

/** Tells of each request of a scope once: when its answer has been sent, or when its client has gone. */
export function onRequestEnd(scope: FastifyInstance, tell: RequestEnd): void {
  const told = new WeakSet<FastifyRequest>()
  const tellOnce: RequestEnd = (request, reply, aborted) => {
    if (told.has(request)) return
    told.add(request)
    tell(request, reply, aborted)
  }
  scope.addHook('onRequest', (request, reply, done) => {
    // After an answer that was sent this comes second.
    reply.raw.once('close', () => tellOnce(request, reply, !reply.raw.writableFinished))
    done()
  })
  scope.addHook('onResponse', (request, reply, done) => {
    tellOnce(request, reply, false)
    done()
  })
}
