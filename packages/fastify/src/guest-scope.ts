import type { ResponseStyle } from '@strongroom/contract'
import type { FastifyInstance } from 'fastify'
import { readJsonBodies } from './body.ts'
import { answerProblem } from './problem.ts'
import { echoRequestId } from './request-id.ts'
import { setResponseStyle } from './response-style.ts'
import { echoTraceId } from './trace-id.ts'

/**
 * Makes an encapsulated scope a guest in the host's server: what the host has set for itself (parsers, error handler,
 * compilers) does not reach our routes, and nothing of ours reaches the host's.
 */
export function settleIn(scope: FastifyInstance, responses: ResponseStyle): void {
  setResponseStyle(scope, responses)
  readJsonBodies(scope)
  scope.setErrorHandler(answerProblem)
  // Bodies and queries are read by the models and the list grammar; nothing is left for a schema compiler to change.
  scope.setValidatorCompiler(() => () => true)
  scope.setSerializerCompiler(() => (value) => JSON.stringify(value))
  scope.addHook('onRequest', (request, reply, done) => {
    echoTraceId(request, reply)
    done(echoRequestId(request, reply))
  })
}

/** While the server closes, tells clients of running requests not to keep their connections: it would wait for them. */
export function letConnectionsGo(scope: FastifyInstance): void {
  let closing = false
  scope.addHook('preClose', async () => {
    closing = true
  })
  scope.addHook('onSend', (request, reply, payload, done) => {
    // HTTP/2 knows no such header, and Node warns of it.
    if (closing && request.raw.httpVersionMajor < 2) reply.header('connection', 'close')
    done(null, payload)
  })
}
