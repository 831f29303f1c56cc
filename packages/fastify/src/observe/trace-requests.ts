import type { Context } from '@opentelemetry/api'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { routeFactsOf } from '../request-facts.ts'
import { echoTraceId, noteTraceId } from '../trace-id.ts'
import { onRequestEnd } from './request-end.ts'
import type { Tracing } from './tracing.ts'
import { routeOf } from './watch-requests.ts'

const decorator = Symbol('strongroom.tracing')

/** The tracing that the requests of a scope have already, if any. */
export function tracingOf(scope: FastifyInstance): Tracing | undefined {
  return scope.hasDecorator(decorator) ? scope.getDecorator<Tracing>(decorator) : undefined
}

/** Makes a span for each request of a scope: within the host's, if it has one, else within the client's of `traceparent`. */
export function traceRequests(scope: FastifyInstance, tracing: Tracing): void {
  const { trace, context } = tracing.api
  const contexts = new WeakMap<FastifyRequest, Context>()
  scope.decorate(decorator, tracing)
  scope.addHook('onRequest', (request, reply, done) => {
    const within = startSpan(tracing, request)
    contexts.set(request, within)
    tellTrace(tracing, within, request, reply)
    context.with(within, done)
  })
  // Reading the body leaves the context in which that began.
  scope.addHook('preHandler', (request, _reply, done) => {
    context.with(contexts.get(request) ?? context.active(), done)
  })
  onRequestEnd(scope, (request, reply, aborted) => {
    const span = trace.getSpan(contexts.get(request) ?? context.active())
    if (!span) return
    if (aborted) return tracing.end(span, 'aborted')
    span.setAttribute('http.response.status_code', reply.statusCode)
    if (reply.statusCode >= 500) span.setStatus({ code: tracing.api.SpanStatusCode.ERROR })
    span.end()
  })
}

function startSpan({ api, tracer }: Tracing, request: FastifyRequest): Context {
  const { trace, context, propagation, SpanKind } = api
  const active = context.active()
  const parent = trace.getSpan(active) ? active : propagation.extract(active, request.headers)
  const route = routeOf(request)
  const facts = routeFactsOf(request)
  const attributes = {
    'http.request.method': request.method,
    'http.route': route,
    ...(facts && { 'strongroom.operation': facts.operation }),
    ...(facts?.component && { 'strongroom.component': facts.component }),
  }
  return trace.setSpan(parent, tracer.startSpan(`${request.method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent))
}

function tellTrace({ api }: Tracing, within: Context, request: FastifyRequest, reply: FastifyReply): void {
  const span = api.trace.getSpanContext(within)
  if (!span) return
  noteTraceId(request, span.traceId)
  echoTraceId(request, reply)
  api.propagation.inject(within, reply, { set: (carrier, name, value) => void (name === 'traceparent' && carrier.header(name, value)) })
}
