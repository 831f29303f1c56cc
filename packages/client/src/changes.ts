import type { WireModel } from '@strongroom/contract'
import { NetworkError, StrongroomClientError, TimeoutError } from './errors.ts'
import { readEvents } from './event-stream.ts'
import type { RecordOf } from './model-types.ts'
import type { AuditEntry } from './past.ts'
import { strangeError } from './read-error.ts'
import { pause } from './retry.ts'
import type { OpenStream } from './transport.ts'

/** Which changes are followed, and until when. */
export interface FollowOptions {
  /** The id of the last change that was seen: those after it come. `start` is before everything that the log has; from now on unless said. */
  readonly after?: string | undefined
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal | undefined
}

/** What was changed: an audit entry in JSON form. `Image` is a record as it was before and after. */
export interface ChangeEntry<Image> extends Omit<AuditEntry, 'before' | 'after' | 'position' | 'sealed' | 'hash'> {
  /** Null for a create, and where the record has come into what the caller may read. Secrets are `[secret]`. */
  readonly before: Image | null
  /** Null for a delete and a purge, and where the record has gone out of what the caller may read. */
  readonly after: Image | null
  readonly position: number
  readonly sealed: true
  readonly hash: string
}

/** A record as it was, in the fields that it had then. */
export type ImageOf<Model extends WireModel> = Partial<RecordOf<Model>>

/** What whoever follows changes is told. */
export type ChangeEvent<Image> =
  /** A record was changed. `id` is where the reader stands with it. */
  | { readonly type: 'change'; readonly id: string; readonly entry: ChangeEntry<Image> }
  /** The server's database was restored: whoever keeps a copy reads it anew, and goes on after `id`. */
  | { readonly type: 'reset'; readonly id: string }

/** Milliseconds without any sign of life after which a connection is taken for lost; the server gives one every 15 seconds. */
const silence = 45_000

/** Milliseconds before a connection that was lost is made again, at least and at most: they double with each failure. */
const soonest = 200
const latest = 10_000

/**
 * Follows a feed, and comes back to where it was when the connection is lost, for ever. Only the first connection is tried as often as
 * other requests are. Throws what the server refuses.
 */
export async function* followChanges(
  open: OpenStream,
  path: string,
  { after, signal }: FollowOptions,
): AsyncGenerator<ChangeEvent<unknown>, void, undefined> {
  let place = after
  let failures = 0
  let isKnown = false
  while (!signal?.aborted) {
    const line = new Line(signal)
    try {
      const query = place === undefined ? [] : [{ name: 'after', value: place }]
      const response = await open({ method: 'GET', path, query, headers: { accept: 'text/event-stream' }, signal: line.signal }, isKnown)
      isKnown = true
      line.listen()
      for await (const { id, name, data } of readEvents(bodyOf(response))) {
        line.pause()
        failures = 0
        place = id ?? place
        const event = data === undefined || id === undefined ? undefined : eventOf(name, id, data)
        if (event) yield event
        line.listen()
      }
    } catch (error) {
      if (signal?.aborted) return
      if (!isKnown || !isPassing(error)) throw error
    } finally {
      line.end()
    }
    await pause(soonest + Math.random() * Math.min(latest, soonest * 2 ** failures++), signal).catch(() => undefined)
  }
}

function bodyOf(response: Response): ReadableStream<Uint8Array> {
  if (response.body && response.headers.get('content-type')?.startsWith('text/event-stream')) return response.body
  throw strangeError(response.status, response.headers.get('x-request-id') ?? undefined)
}

function eventOf(name: string, id: string, data: string): ChangeEvent<unknown> | undefined {
  if (name === 'reset') return { type: 'reset', id }
  // The contract says what stands in a change. Events of another name are those of a newer server.
  return name === 'change' ? { type: 'change', id, entry: JSON.parse(data) as ChangeEntry<unknown> } : undefined
}

/** Whether the server may answer otherwise in a while. A connection that breaks inside an answer throws what fetch has for that. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof StrongroomClientError)) return !(error instanceof SyntaxError)
  return error instanceof NetworkError || error instanceof TimeoutError || [429, 502, 503, 504].includes(error.status ?? 0)
}

/** One connection: it is ended by whoever follows, and where nothing comes over it for too long. */
class Line {
  readonly #ending = new AbortController()
  readonly #outer: AbortSignal | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer
    outer?.addEventListener('abort', this.end, { once: true })
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  /** Waits for the next sign of life. */
  listen(): void {
    this.#timer = setTimeout(this.end, silence)
  }

  pause(): void {
    clearTimeout(this.#timer)
  }

  readonly end = (): void => {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.end)
    this.#ending.abort()
  }
}
