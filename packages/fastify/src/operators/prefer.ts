import { longestWait } from '@strongroom/contract'
import type { FastifyRequest } from 'fastify'

/** Seconds that a request waits for work that takes long, where it says nothing. */
const usualWait = 2

/** Milliseconds that a client is willing to wait (RFC 7240). What cannot be understood is no preference. */
export function preferredWait({ headers }: FastifyRequest): number {
  const preferences = String(headers['prefer'] ?? '')
    .split(',')
    .map((text) => text.trim().toLowerCase())
  const wait = preferences.map((text) => /^wait\s*=\s*"?(\d{1,9})"?(\s*;|$)/.exec(text)?.[1]).find((text) => text !== undefined)
  if (wait !== undefined) return Math.min(Number(wait), longestWait) * 1_000
  return preferences.some((text) => /^respond-async(\s*;|$)/.test(text)) ? 0 : usualWait * 1_000
}
