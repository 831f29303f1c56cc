import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type pino from 'pino'
import { claimedActor } from '../actor.ts'
import { principalOf } from '../auth/identity.ts'
import { onRequestEnd } from '../observe/request-end.ts'
import { notedActor } from '../request-facts.ts'
import { notesOf } from '../request-notes.ts'
import { traceIdOf } from '../trace-id.ts'
import type { RequestLine, WriteRequestLine } from './request-line.ts'

/** Which requests are logged, and how. */
interface RequestLog {
  readonly write: WriteRequestLine
  /** The header `X-User` names whoever asks, in reads too. */
  readonly byHeader: boolean
}

/**
 * Logs one line for each request, when its answer has been sent, or when its client has gone. The request's id is in each of its lines.
 */
export function logRequests(app: FastifyInstance, { write, byHeader }: RequestLog): void {
  if (app.log.level === 'silent') return
  onRequestEnd(app, (request, reply, aborted) => {
    const level = !aborted && reply.statusCode >= 500 ? 'warn' : 'info'
    // The server's logger is pino's, and so is what Fastify makes of it.
    if (!(request.log as pino.Logger).isLevelEnabled(level)) return
    write(request.log, level, lineOf(request, reply, notedActor(request) ?? (byHeader ? claimedActor(request) : null), aborted))
  })
}

function lineOf(request: FastifyRequest, reply: FastifyReply, actor: string | null, aborted: boolean): RequestLine {
  const { route, began } = notesOf(request)
  const { config, url } = route
  const { originalUrl } = request
  const query = originalUrl.indexOf('?')
  const tenant = principalOf(request)?.tenant ?? null
  const line = {
    trace_id: traceIdOf(request),
    actor,
    tenant,
    component: config.strongroom?.component ?? null,
    operation: config.strongroom?.operation ?? null,
    method: request.method,
    path: query < 0 ? originalUrl : originalUrl.slice(0, query),
    route: url ?? null,
    status: aborted ? null : reply.statusCode,
    duration_ms: Math.round((performance.now() - began) * 1000) / 1000,
    ip: request.ip,
  }
  return aborted ? { ...line, aborted } : line
}
