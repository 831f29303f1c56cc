import type { WireSchema } from '@strongroom/contract'
import { StrongroomError, ValidationError, type ValidationIssue } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'

/** A body as its schema says; members that are left out are undefined. */
export type Body = Readonly<Record<string, unknown>>

/** The little of a schema that bodies here need. */
interface MemberSchema {
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly items?: MemberSchema
}

const formType = 'application/x-www-form-urlencoded'

/** Reads a form as an object. Throws `bad_request` for a name that is given twice (RFC 6749, 3.2). */
export function parseForm(text: string): Record<string, string> {
  const form: Record<string, string> = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in form) throw new StrongroomError('bad_request', `The form has ${JSON.stringify(name.slice(0, 60))} twice.`)
    form[name] = value
  }
  return form
}

/** Whether the body came as a form. */
export function isForm({ headers }: FastifyRequest): boolean {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() === formType
}

/**
 * Holds a body against its schema. A form may have members that nobody knows (RFC 6749, 3.2), and an empty one is none.
 * @throws ValidationError that names what is wrong; StrongroomError `bad_request` where there is no body
 */
export function readBody(request: FastifyRequest, schema: WireSchema): Body {
  const { body } = request
  // The schemas are those of our own routes.
  const { properties, required = [] } = schema as { properties: Readonly<Record<string, MemberSchema>>; required?: readonly string[] }
  if (body === undefined || body === null) {
    if (required.length > 0) throw new StrongroomError('bad_request', 'The request has no body. Send a JSON object.')
    return {}
  }
  if (typeof body !== 'object' || Array.isArray(body)) throw new ValidationError('must be a JSON object')
  const given: Record<string, unknown> = { ...body }
  if (isForm(request)) for (const [name, value] of Object.entries(given)) if (value === '' || !(name in properties)) delete given[name]
  const issues: ValidationIssue[] = []
  for (const name of required) if (!Object.hasOwn(given, name)) issues.push({ path: name, message: 'is missing' })
  for (const [name, value] of Object.entries(given)) {
    const member = Object.hasOwn(properties, name) ? properties[name] : undefined
    const message = member ? faultOf(member, value) : 'is no field of this request'
    if (message !== undefined) issues.push({ path: name, message })
  }
  if (issues.length > 0) throw new ValidationError(issues)
  return given
}

function faultOf(schema: MemberSchema, value: unknown): string | undefined {
  if (schema.type === 'array') {
    if (!Array.isArray(value)) return 'must be a list'
    if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) return `must have at most ${schema.maxItems} items`
    return value.map((item) => faultOf(schema.items ?? {}, item)).find((message) => message !== undefined)
  }
  if (typeof value !== 'string') return 'must be text'
  if (!value.isWellFormed() || value.includes('\0')) return 'must be text without NUL and lone surrogates'
  if (value.length < (schema.minLength ?? 0)) return 'must not be empty'
  if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) return `must have at most ${schema.maxLength} characters`
  if (schema.enum && !schema.enum.includes(value)) return `must be one of ${schema.enum.join(', ')}`
  if (schema.format === 'date-time' && !isInstant(value)) return 'must be an instant of RFC 3339, such as 2027-01-31T12:00:00Z'
  return undefined
}

function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text) && !Number.isNaN(Date.parse(text))
}
