import { isUtf8 } from 'node:buffer'
import { StrongroomError } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import { noteActor } from './request-facts.ts'

/** Says who a request is from, in the host's own way. */
export type ActorOf = (request: FastifyRequest) => string | Promise<string>

/** Characters; the name stands in every audit entry. */
const longestActor = 255

/** Whoever writes: what the host's `actor` says, else the `X-User` header. */
export async function actorOf(request: FastifyRequest, configured: ActorOf | undefined): Promise<string> {
  if (!configured) return noteActor(request, userHeader(request))
  const actor: unknown = await configured(request)
  if (typeof actor !== 'string' || actor === '')
    throw new StrongroomError('missing_actor', 'The server does not know who this request is from.')
  return noteActor(request, actor)
}

/** Whoever operates: `operator` where nothing says more. */
export async function operatorOf(request: FastifyRequest, configured: ActorOf | undefined): Promise<string> {
  return !configured && request.headers['x-user'] === undefined ? noteActor(request, 'operator') : actorOf(request, configured)
}

/** Whoever a request says it is from, where that is no login; null where it says nobody. */
export function claimedActor(request: FastifyRequest): string | null {
  if (request.headers['x-user'] === undefined) return null
  try {
    return userHeader(request)
  } catch {
    return null
  }
}

function userHeader(request: FastifyRequest): string {
  const actor = nameInHeader(request, 'X-User')
  if (actor === undefined) throw new StrongroomError('missing_actor', 'Missing X-User header')
  return actor
}

/** The name that a header gives, if any. Throws StrongroomError `bad_request` for what is none. */
export function nameInHeader(request: FastifyRequest, header: string): string | undefined {
  const key = header.toLowerCase()
  const given = request.headers[key]
  // Node joins them: a client's own header and the one that a proxy adds would be a third name.
  if (count(request.raw.rawHeaders, key) > 1) throw new StrongroomError('bad_request', `${header} is given twice.`)
  const name = typeof given === 'string' ? asUtf8(given).trim() : ''
  if (name.length > longestActor || /\p{Cc}/u.test(name)) {
    throw new StrongroomError('bad_request', `${header} is a name of at most ${longestActor} characters, without control characters.`)
  }
  return name === '' ? undefined : name
}

/** How often a header is given. */
function count(rawHeaders: readonly string[], wanted: string): number {
  let found = 0
  for (let place = 0; place < rawHeaders.length; place += 2) {
    const name = rawHeaders[place]
    if (name?.length === wanted.length && name.toLowerCase() === wanted) found++
  }
  return found
}

/** Node reads header bytes as Latin-1; most clients send UTF-8. */
function asUtf8(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : text
}
