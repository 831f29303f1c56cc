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

/** Fastify's own onResponse hooks are called with listeners that it takes away again, for a twentieth of a small GET (measured). */
function listen(scope: FastifyInstance, tells: RequestEnd[]): void {
  listeners.set(scope, tells)
  const attend = (request: FastifyRequest, reply: FastifyReply): void => {
    const notes = notesOf(request)
    if (notes.attendedBy.includes(tells)) return
    notes.attendedBy = [...notes.attendedBy, tells]
    let over = false
    const end = (aborted: boolean): void => {
      if (over) return
      over = true
      for (const tell of tells) tell(request, reply, aborted)
    }
    const { raw } = reply
    raw.on('finish', () => end(false))
    // After an answer that was sent this comes second, and never where a test injects a request.
    raw.on('close', () => end(!raw.writableFinished))
  }
  scope.addHook('onRequest', (request, reply, done) => {
    attend(request, reply)
    done()
  })
  // A hook of the host may have answered before it came to that one.
  scope.addHook('onSend', (request, reply, payload, done) => {
    attend(request, reply)
    done(null, payload)
  })
}
