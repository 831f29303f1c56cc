import { auditParameters, readParameters } from '@strongroom/contract'
import { type AuditCursorPage, type AuditPage, auditOperations, InvalidQueryError, type Storage } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { type EntryPlace, readNumber, sendEntries } from '../entries.ts'
import { readInstant } from '../instant.ts'
import { rawQuery, readQuery } from '../query.ts'
import { type Operators, requireOperator } from './guard.ts'
import { guarded } from './guarded.ts'

/** How many entries are answered. */
export interface AuditLimits {
  readonly defaultLimit: number
  readonly maxLimit: number
}

/** `GET /db/audit`: entries that all parameters hold for, newest first. */
export function listAudit(storage: Storage, operators: Operators, limits: AuditLimits): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    const query = readAuditQuery(request, limits)
    const { entries, next } = await storage.audit.page(query)
    const place: EntryPlace = { limit: query.limit ?? limits.defaultLimit, offset: query.offset ?? 0, after: query.after }
    return sendEntries(guarded(reply), place, entries, next)
  }
}

type Parameter = 'component' | 'record_id' | 'actor' | 'operation' | 'request_id' | 'since' | 'until' | 'after' | 'limit' | 'offset'

// The contract lists exactly these; a test holds them together.
const parameterNames = auditParameters.map(({ name }) => name) as Parameter[]

function readAuditQuery(request: FastifyRequest, { defaultLimit, maxLimit }: AuditLimits): AuditCursorPage {
  const given = readQuery(() => readParameters(rawQuery(request), parameterNames))
  const text = (name: Parameter): string | undefined => checkText(name, given.get(name))
  const query = {
    component: text('component'),
    record_id: text('record_id'),
    actor: text('actor'),
    operation: readOperation(given.get('operation')),
    request_id: text('request_id'),
    since: readInstant('since', given.get('since')),
    until: readInstant('until', given.get('until')),
    after: given.get('after'),
    limit: readNumber('limit', given.get('limit'), 1, maxLimit, defaultLimit),
    offset: readNumber('offset', given.get('offset'), 0, Number.MAX_SAFE_INTEGER, 0),
  }
  // What was not asked for is left out.
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as AuditCursorPage
}

function checkText(name: string, value: string | undefined): string | undefined {
  if (value === undefined || (value !== '' && !value.includes('\0') && value.isWellFormed())) return value
  throw new InvalidQueryError(`${name} is text of at least one character.`)
}

function readOperation(value: string | undefined): AuditPage['operation'] {
  if (value === undefined) return undefined
  const operation = auditOperations.find((known) => known === value)
  if (!operation) throw new InvalidQueryError(`operation is one of ${auditOperations.join(', ')}.`)
  return operation
}
