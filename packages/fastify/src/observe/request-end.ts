import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { notesOf } from '../request-notes.ts'

/** Is told of a request's end; `aborted` says that its client went before its answer was sent. */
export type RequestEnd = (request: FastifyRequest, reply: FastifyReply, aborted: boolean) => void

const listeners = new WeakMap<FastifyInstance, RequestEnd[]>()

/** Tells of each request of a scope once: when its answer has been sent, or when its client has gone. */
export function onRequestEnd(scope: FastifyInstance, tell: RequestEnd): void {
  const known = listeners.get(scope)
  // One pair of hooks serves all.
  if (known) known.push(tell)
  else listen(scope, [tell])
}

function listen(scope: FastifyInstance, tells: RequestEnd[]): void {
  listeners.set(scope, tells)
  const tellOnce: RequestEnd = (request, reply, aborted) => {
    const notes = notesOf(request)
    if (notes.told.includes(tells)) return
    notes.told = [...notes.told, tells]
    for (const tell of tells) tell(request, reply, aborted)
  }
  scope.addHook('onRequest', (request, reply, done) => {
    // After an answer that was sent this comes second.
    reply.raw.on('close', () => tellOnce(request, reply, !reply.raw.writableFinished))
    done()
  })
  scope.addHook('onResponse', (request, reply, done) => {
    tellOnce(request, reply, false)
    done()
  })
}
