import { Readable } from 'node:stream'
import { changesParameters, readParameters } from '@strongroom/contract'
import type { ChangePage } from '@strongroom/core'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { principalOf } from '../auth/identity.ts'
import { readNumber, wireEntry } from '../entries.ts'
import { goneSignal } from '../operators/download.ts'
import { preferredWait } from '../operators/prefer.ts'
import { rawQuery, readQuery } from '../query.ts'
import { answerHead, answerJson, exposeHeaders } from '../reply.ts'
import { eventStream } from './event-stream.ts'
import { FeedReader, type Followed } from './feed-reader.ts'
import { OpenFeeds } from './open-feeds.ts'

const feedsOf = new WeakMap<object, OpenFeeds>()

/** All feeds of a server count together. */
function openFeeds({ server }: FastifyInstance): OpenFeeds {
  const known = feedsOf.get(server) ?? new OpenFeeds()
  feedsOf.set(server, known)
  return known
}

/** Bytes that are read ahead of what the client takes. */
const buffered = 64 * 1024

/** `GET /db/changes`, `GET /users/changes`: server-sent events, or the next changes as JSON. */
export function followChanges(scope: FastifyInstance, followed: Followed): RouteHandlerMethod {
  const closing = new AbortController()
  scope.addHook('preClose', async () => closing.abort())
  return async (request, reply) => {
    await followed.check(request)
    const { after, limit } = readChangesQuery(request)
    const isJson = prefersJson(request)
    if (request.method === 'HEAD') return answerHead(announce(reply, isJson).type(isJson ? jsonType : eventsType))
    const feeds = openFeeds(scope)
    feeds.begin(reply, principalOf(request))
    const signal = AbortSignal.any([closing.signal, goneSignal(reply)])
    const reader = new FeedReader(followed, request)
    const first = await reader.page(after, limit)
    if (isJson) return sendPage(announce(reply, isJson), await wanted(reader, first, { limit, wait: preferredWait(request), signal }))
    feeds.cutSlow(reply)
    const events = Readable.from(eventStream(reader, first, { signal, log: request.log }), { objectMode: false, highWaterMark: buffered })
    return announce(reply, isJson).type(eventsType).send(events)
  }
}

function announce(reply: FastifyReply, isJson: boolean): FastifyReply {
  exposeHeaders(reply, 'X-Request-Id')
  reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  // nginx would keep events until they fill a buffer.
  return isJson ? reply : reply.header('x-accel-buffering', 'no')
}

const eventsType = 'text/event-stream; charset=utf-8'
const jsonType = 'application/json; charset=utf-8'

/** Pages until one has something to tell, or the client has waited long enough. */
async function wanted(
  reader: FeedReader,
  first: ChangePage,
  { limit, wait, signal }: { readonly limit: number; readonly wait: number; readonly signal: AbortSignal },
): Promise<ChangePage> {
  const over = performance.now() + wait
  let page = first
  while (page.reset === null && page.changes.length === 0 && !signal.aborted) {
    const left = over - performance.now()
    if (left <= 0 || (page.isLast && !(await reader.wait(page.next, left, signal)))) break
    page = await reader.page(page.next, limit)
  }
  return page
}

function sendPage(reply: FastifyReply, { changes, next, reset }: ChangePage): string {
  const answer = { changes: changes.map(({ entry }) => wireEntry(entry)), next, reset: reset !== null }
  return answerJson(reply, 200, answer, { message: 'Changes found' })
}

// The contract lists exactly these; a test holds them together.
const parameterNames = changesParameters.map(({ name }) => name) as ('after' | 'limit')[]

const usualLimit = 100
const mostAtOnce = 1_000

function readChangesQuery(request: FastifyRequest): { readonly after: string | undefined; readonly limit: number } {
  const given = readQuery(() => readParameters(rawQuery(request), parameterNames))
  const limit = readNumber('limit', given.get('limit'), 1, mostAtOnce, usualLimit)
  // An EventSource that comes back asks with its first URL, and says in a header how far it came.
  const last = request.headers['last-event-id']
  return { after: typeof last === 'string' && last !== '' ? last : given.get('after'), limit }
}

/** JSON where it is named, and events are not, or weigh less (RFC 9110, 12.5.1). */
function prefersJson({ headers }: FastifyRequest): boolean {
  const accepted = (headers.accept ?? '').toLowerCase().split(',')
  return weightOf('application/json', accepted) > weightOf('text/event-stream', accepted)
}

function weightOf(type: string, accepted: readonly string[]): number {
  const named = accepted.map((each) => each.split(';').map((part) => part.trim())).find(([name]) => name === type)
  const weight = named?.find((part) => part.startsWith('q='))
  if (weight === undefined) return named ? 1 : 0
  const number = Number(weight.slice('q='.length))
  return Number.isNaN(number) ? 1 : number
}
