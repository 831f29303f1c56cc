import { createHash } from 'node:crypto'
import { readBoolean, splitQuery } from '@strongroom/contract'
import { type OnceKey, StrongroomError } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import { rawQuery, readQuery } from './query.ts'

/** The key of a request that shall be done once. A dry run leaves nothing, so there is nothing to repeat. */
export function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new StrongroomError('bad_request', 'Idempotency-Key is 1 to 255 characters of printable ASCII, e.g. a UUID.')
  }
  const pairs = readQuery(() => splitQuery(rawQuery(request)))
  return pairs.some(({ name, value }) => name === 'dry_run' && readBoolean(value) !== false) ? undefined : key
}

/** What tells a request with a key from others: who sends it where, and what it asks for. */
export function onceKey(request: FastifyRequest, key: string, actor: string): OnceKey {
  const [path = ''] = request.originalUrl.split('?', 1)
  return { key, scope: [actor, request.method, path.replace(/\/$/, '')], content: contentOf(request) }
}

/** JSON writes null for a number that is too large for it: such a body is not the same as one with null. */
function tellApart(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value
}

/** What is asked for: the same key with another content is a mistake. */
function contentOf(request: FastifyRequest): string {
  const { 'if-match': match = null, 'if-none-match': noneMatch = null } = request.headers
  return createHash('sha256')
    .update(JSON.stringify([rawQuery(request), match, noneMatch, request.body ?? null], tellApart))
    .digest('base64url')
}
