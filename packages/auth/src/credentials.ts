import type { FastifyRequest } from 'fastify'
import { unauthorized } from './refuse.ts'

/** What a request shows of who it is from. */
export type Credentials = { readonly kind: 'token' | 'key'; readonly value: string }

/**
 * Finds the credentials of a request: `Authorization: Bearer …`, or `X-API-Key`. Other schemes are not for us.
 * @throws StrongroomError `unauthorized` for both at once: they may be two callers
 */
export function credentialsOf({ headers }: FastifyRequest, looksLikeKey: (value: string) => boolean): Credentials | undefined {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  const key = headers['x-api-key']
  if (key !== undefined) {
    if (bearer !== undefined) throw unauthorized('Send an access token or an API key, and not both.')
    return { kind: 'key', value: String(key) }
  }
  if (bearer !== undefined) return { kind: looksLikeKey(bearer) ? 'key' : 'token', value: bearer }
  if (/^bearer\b/i.test(headers.authorization ?? '')) throw unauthorized('Send the token as "Authorization: Bearer <token>".')
  return undefined
}
