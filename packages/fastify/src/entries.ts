import { readWholeNumber } from '@strongroom/contract'
import { type AuditEntry, InvalidQueryError } from '@strongroom/core'
import type { FastifyReply } from 'fastify'
import { pageLinks } from './records/page-links.ts'
import { answerJson, exposeHeaders } from './reply.ts'

/** How a page of audit entries was asked for. */
export interface EntryPlace {
  readonly limit: number
  readonly offset: number
  readonly after: string | undefined
}

/** Answers a page of audit entries, newest first. */
export function sendEntries(
  reply: FastifyReply,
  { limit, offset, after }: EntryPlace,
  entries: readonly AuditEntry[],
  next: string | undefined,
): string {
  reply.header('link', pageLinks(reply.request.originalUrl, { limit, offset }, next === undefined ? {} : { next }))
  exposeHeaders(reply, 'Link, X-Request-Id')
  const place = { total: null, limit, offset: after === undefined ? offset : null, next: next ?? null, previous: null }
  return answerJson(reply, 200, entries.map(wireEntry), { message: 'Audit entries found', pagination: place })
}

/** An audit entry as it is answered. */
export function wireEntry(entry: AuditEntry): Record<string, unknown> {
  return { ...entry, timestamp: entry.timestamp.toISOString() }
}

/** A parameter that is a whole number. Throws InvalidQueryError that names it and its range. */
export function readNumber(name: string, value: string | undefined, least: number, most: number, otherwise: number): number {
  if (value === undefined) return otherwise
  const number = readWholeNumber(value, least, most)
  if (number === undefined)
    throw new InvalidQueryError(`${name} is a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? ' on' : ` to ${most}`}.`)
  return number
}
