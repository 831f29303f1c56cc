import type { Context, Span, Tracer } from '@opentelemetry/api'
import type { PieceOfWork, RanStatement, StatementListener, StorageObserver } from '@strongroom/core'
import { refuse } from '../refuse.ts'

type Api = typeof import('@opentelemetry/api')

/** A library's spans say who made them. */
const scopeName = '@strongroom/fastify'

/** Makes spans with the SDK that the program has registered. */
export class Tracing {
  readonly api: Api
  readonly tracer: Tracer
  /** For the storage: a span around each transaction, hook and job. */
  readonly observer: StorageObserver

  constructor(api: Api) {
    this.api = api
    this.tracer = api.trace.getTracer(scopeName)
    this.observer = { around: (work, code) => this.#around(work, code) }
  }

  /** For the storage: a span for each statement that is part of something; others, such as the lane's own, are part of nothing. */
  listener(next: StatementListener | undefined): StatementListener {
    return (statement) => {
      this.#tellStatement(statement)
      next?.(statement)
    }
  }

  /** Ends a span; it says no more of an error than its code, since messages can hold what people wrote. */
  end(span: Span, error?: unknown): void {
    if (error !== undefined) {
      span.setAttribute('error.type', nameOf(error))
      span.setStatus({ code: this.api.SpanStatusCode.ERROR })
    }
    span.end()
  }

  #around<T>({ kind, name, component, id }: PieceOfWork, code: () => T): T {
    const title = [kind === name ? undefined : kind, name, component ?? undefined].filter((word) => word !== undefined).join(' ')
    const attributes = {
      ...(component !== null && { 'strongroom.component': component }),
      ...(id !== null && { [`strongroom.${kind}.id`]: id }),
    }
    return this.tracer.startActiveSpan(title, { attributes }, (span) => this.#during(span, code))
  }

  #during<T>(span: Span, code: () => T): T {
    let result: T
    try {
      result = code()
    } catch (error) {
      this.end(span, error)
      throw error
    }
    if (!isPromiseLike(result)) {
      this.end(span)
      return result
    }
    const ended = result.then(
      (value) => {
        this.end(span)
        return value
      },
      (error) => {
        this.end(span, error)
        throw error
      },
    )
    // What was a promise of something still is one of it.
    return ended as T
  }

  #tellStatement({ sql, duration, failed }: RanStatement): void {
    const { trace, context, SpanKind } = this.api
    const parent: Context = context.active()
    if (!trace.getSpan(parent)?.isRecording()) return
    const end = performance.now()
    // What comes after WITH only prepares it, or is a write with its entry.
    const [verb = 'SQL'] = (/^\s*with\b/i.test(sql) ? /\b(?:insert|update|delete|select)\b/i : /^\s*\w+/).exec(sql) ?? []
    const span = this.tracer.startSpan(
      verb.trim().toUpperCase(),
      { kind: SpanKind.CLIENT, startTime: end - duration, attributes: { 'db.query.text': sql } },
      parent,
    )
    if (failed) span.setStatus({ code: this.api.SpanStatusCode.ERROR })
    span.end(end)
  }
}

/**
 * Opens tracing where it is wanted: true asks for it, false forbids it, and otherwise it is there when the program has registered an SDK.
 * Throws UsageError `invalid_options` where it is asked for and the package is missing.
 */
export async function openTracing(wanted: boolean | undefined): Promise<Tracing | undefined> {
  if (wanted === false || process.env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined
  const api = await loadApi()
  if (!api) return wanted ? refuse('tracing needs the package @opentelemetry/api. Install it, or leave tracing out.') : undefined
  const tracing = new Tracing(api)
  return wanted || isRegistered(tracing) ? tracing : undefined
}

async function loadApi(): Promise<Api | undefined> {
  try {
    return await import('@opentelemetry/api')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** Without an SDK spans have no ids. This one is never ended, so nobody gets it. */
function isRegistered({ api, tracer }: Tracing): boolean {
  return api.isSpanContextValid(tracer.startSpan('start', {}, api.ROOT_CONTEXT).spanContext())
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
