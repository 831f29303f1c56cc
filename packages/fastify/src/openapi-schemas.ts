import { bulkDeletionSchema, type Content, deletionSchema, type WireSchema } from '@strongroom/contract'
import { type AnyModel, jsonSchemaOf } from '@strongroom/core'

/** Points to a schema of the document. Names of components have no dots, so ours cannot meet theirs. */
export function reference(name: string): WireSchema {
  return { $ref: `#/components/schemas/${name}` }
}

/** The schemas of one component: its records as they are read, made, saved and patched. */
export function recordSchemas(component: string, model: AnyModel): Readonly<Record<string, WireSchema>> {
  return {
    [`${component}.record`]: plain(jsonSchemaOf(model, 'read')),
    [`${component}.new`]: plain(jsonSchemaOf(model, 'insert')),
    [`${component}.saved`]: savedSchema(model),
    [`${component}.patch`]: plain(jsonSchemaOf(model, 'update')),
  }
}

/** What a body or answer of a route looks like. */
export function contentSchema(content: Content, component: string, model: AnyModel | undefined): WireSchema {
  const listOf = (items: WireSchema): WireSchema => ({ type: 'array', items })
  switch (content) {
    case 'record':
      return reference(`${component}.record`)
    case 'records':
      return listOf(reference(`${component}.record`))
    case 'recordOrRecords':
      return { oneOf: [reference(`${component}.record`), listOf(reference(`${component}.record`))] }
    case 'newRecord':
      return reference(`${component}.new`)
    case 'newRecords':
      return listOf(reference(`${component}.new`))
    case 'savedRecord':
      return reference(`${component}.saved`)
    case 'recordPatch':
      return reference(`${component}.patch`)
    case 'deletion':
      return deletionSchema(model ? plain(model.id.schema) : {}, reference(`${component}.record`))
    case 'bulkDeletion':
      return bulkDeletionSchema
    case 'restoration':
      return reference('api.restoration')
    case 'groups':
      return listOf({ type: 'object' })
    case 'batch':
      return reference('api.batch')
    case 'batchResults':
      return reference('api.batch-results')
    case 'status':
      return reference('api.status')
    case 'auditEntries':
      return listOf(reference('api.audit-entry'))
    case 'openapi':
      return { type: 'object' }
    case 'html':
      return { type: 'string' }
  }
}

/** A record that is saved may be the whole one as it was read, or any part of it. */
function savedSchema(model: AnyModel): WireSchema {
  const { properties: read } = parts(jsonSchemaOf(model, 'read'))
  const { properties: written } = parts(jsonSchemaOf(model, 'update'))
  return { type: 'object', additionalProperties: false, properties: { ...read, ...written } }
}

function parts(schema: object): { readonly properties?: Readonly<Record<string, unknown>> } {
  return schema
}

/** TypeBox's types say nothing of the members. */
function plain(schema: object): WireSchema {
  return schema as WireSchema
}
