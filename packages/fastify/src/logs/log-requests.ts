import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { claimedActor } from '../actor.ts'
import { principalOf } from '../auth/identity.ts'
import { onRequestEnd } from '../observe/request-end.ts'
import { notedActor, routeFactsOf } from '../request-facts.ts'
import { traceIdOf } from '../trace-id.ts'

/**
 * Logs one line for each request, when its answer has been sent, or when its client has gone. The request's id is in each of its lines.
 * `byHeader` says that the header `X-User` names whoever asks, in reads too.
 */
export function logRequests(app: FastifyInstance, { byHeader }: { readonly byHeader: boolean }): void {
  onRequestEnd(app, (request, reply, aborted) => {
    writeLine(request, reply, notedActor(request) ?? (byHeader ? claimedActor(request) : null), aborted)
  })
}

function writeLine(request: FastifyRequest, reply: FastifyReply, actor: string | null, aborted: boolean): void {
  const route = routeFactsOf(request)
  const line = {
    trace_id: traceIdOf(request),
    actor,
    tenant: principalOf(request)?.tenant ?? null,
    component: route?.component ?? null,
    operation: route?.operation ?? null,
    method: request.method,
    // Without the query: it can hold what people look for.
    path: request.originalUrl.split('?', 1)[0],
    route: request.routeOptions.url ?? null,
    status: aborted ? null : reply.statusCode,
    duration_ms: Number(reply.elapsedTime.toFixed(3)),
    ip: request.ip,
    ...(aborted && { aborted }),
  }
  if (!aborted && reply.statusCode >= 500) request.log.warn(line, 'request')
  else request.log.info(line, 'request')
}
