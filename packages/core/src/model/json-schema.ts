import type { TSchema } from 'typebox'
import type { AnyModel, Field } from './model.ts'
import { isOwned } from './record-json.ts'

/** What the schema is for: an answer, the body of an insert, or the body of an update. */
export type SchemaUse = 'read' | 'insert' | 'update'

/** The parts of a field's schema that null changes. */
interface Parts {
  readonly type?: unknown
  readonly enum?: readonly unknown[]
}

/**
 * The JSON Schema of a model's records on the wire, for validation, serialisation and OpenAPI. In `read` every field is
 * required, and nullable where it may be null, without secrets; `insert` and `update` have the fields that a request may
 * set. Unknown fields are refused in all three.
 *
 * @example
 * ```ts
 * const Tag = defineModel('tags', { name: Type.String(), colour: Type.Optional(Type.String()) })
 * jsonSchemaOf(Tag, 'insert')
 * // { type: 'object', additionalProperties: false, required: ['name'],
 * //   properties: { name: { type: 'string' }, colour: { type: ['string', 'null'] } } }
 * ```
 */
export function jsonSchemaOf(model: AnyModel, use: SchemaUse): TSchema {
  const fields = model.fields.filter((field) => !field.hidden && (use === 'read' ? !field.secret : !isOwned(model, field, use)))
  const properties: Record<string, TSchema> = {}
  for (const field of fields) properties[field.name] = use === 'read' ? readSchema(field) : writeSchema(field, use)
  const required = fields.filter((field) => use === 'read' || (use === 'insert' && !field.optional)).map((field) => field.name)
  // An object schema; TypeBox's TSchema has no members of its own.
  return { type: 'object', additionalProperties: false, ...(required.length > 0 && { required }), properties } as TSchema
}

function readSchema(field: Field): TSchema {
  return field.nullable ? orNull(field.schema) : field.schema
}

function writeSchema(field: Field, use: SchemaUse): TSchema {
  const accepted = acceptsNumbers(field)
    ? ({ anyOf: [field.schema, { type: field.kind === 'int64' ? 'integer' : 'number' }] } as TSchema)
    : field.schema
  const schema = field.nullable ? orNull(accepted) : accepted
  const value = field.constantDefault
  if (use !== 'insert' || value === undefined) return schema
  return { ...schema, default: value === null ? null : field.toJson(value) } as TSchema
}

/** They travel as text, and a number is taken while it is exact. */
function acceptsNumbers(field: Field): boolean {
  return field.kind === 'int64' || field.kind === 'decimal'
}

function orNull(schema: TSchema): TSchema {
  const { type, enum: values }: Parts = schema
  if (Object.keys(schema).length === 0) return schema
  if (typeof type !== 'string' || 'const' in schema || 'anyOf' in schema) return { anyOf: [schema, { type: 'null' }] } as TSchema
  return { ...schema, type: [type, 'null'], ...(values && { enum: [...values, null] }) } as TSchema
}
