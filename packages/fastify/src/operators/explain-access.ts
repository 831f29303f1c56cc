import {
  type AccessOperation,
  type AccessQuestion,
  accessOperations,
  type Principal,
  parseId,
  type Storage,
  ValidationError,
  type ValidationIssue,
} from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { bodyOf } from '../body.ts'
import { readFlags } from '../query.ts'
import { answerJson } from '../reply.ts'
import { type Operators, requireOperator } from './guard.ts'
import { guarded } from './guarded.ts'

/** `POST /db/explain-access`: which rule lets a caller do something, or keeps it from it. */
export function explainAccess(storage: Storage, operators: Operators): RouteHandlerMethod {
  return async (request, reply) => {
    await requireOperator(operators, request)
    readFlags(request, [])
    const answer = await storage.explainAccess(readQuestion(storage, request))
    return answerJson(guarded(reply), 200, answer, { message: answer.allowed ? 'It is allowed' : 'It is not allowed' })
  }
}

const members = ['component', 'operation', 'principal', 'id']
const principalMembers = ['id', 'name', 'roles', 'scopes', 'tenant']

function readQuestion({ accessors }: Storage, request: FastifyRequest): AccessQuestion {
  const body = bodyOf(request)
  if (!isObject(body))
    throw new ValidationError('Ask with an object: { "component": "users", "operation": "read", "principal": { "id": 7 } }.')
  const issues: ValidationIssue[] = []
  const need = (holds: boolean, path: string, message: string): void => {
    if (!holds) issues.push({ path, message })
  }
  const components = accessors.map(({ component }) => component)
  const { component, operation, principal, id } = body
  const known = isObject(principal) ? principal : {}
  for (const name of Object.keys(body)) need(members.includes(name), name, `is no part of the question; there are ${members.join(', ')}`)
  for (const name of Object.keys(known))
    need(principalMembers.includes(name), `principal.${name}`, `is no part of a principal; there are ${principalMembers.join(', ')}`)
  need(
    components.some((name) => name === component),
    'component',
    `must be one of ${components.join(', ')}`,
  )
  need(
    accessOperations.some((known) => known === operation),
    'operation',
    `must be one of ${accessOperations.join(', ')}`,
  )
  need(isObject(principal), 'principal', 'must be an object with an id')
  need(known['id'] === null || isId(known['id']), 'principal.id', 'must be a number, text or null')
  need(isTextOrLess(known['name']), 'principal.name', 'must be text')
  need(isTextOrLess(known['tenant']) || known['tenant'] === null, 'principal.tenant', 'must be text or null')
  for (const list of ['roles', 'scopes']) need(isWords(known[list]), `principal.${list}`, 'must be a list of texts')
  need(id === undefined || isId(id), 'id', 'must be the id of a record')
  if (issues.length > 0) throw new ValidationError(issues)
  const model = accessors.find((accessor) => accessor.component === component)?.model
  // Every member was checked above. An id as text is the one of a path, which says what its model makes of it.
  const record = typeof id === 'string' && model ? (parseId(model, id) ?? id) : id
  return { component: component as string, operation: operation as AccessOperation, principal: known as unknown as Principal, id: record }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): boolean {
  return isText(value) || Number.isSafeInteger(value)
}

/** No database stores NUL or half of a surrogate pair in text. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0') && value.isWellFormed()
}

function isTextOrLess(value: unknown): boolean {
  return value === undefined || isText(value)
}

function isWords(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every(isText))
}
