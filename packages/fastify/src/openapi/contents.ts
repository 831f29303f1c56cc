import {
  bulkDeletionSchema,
  type Content,
  deletionSchema,
  diffSchema,
  erasureSchema,
  revertTargetSchema,
  type WireSchema,
} from '@strongroom/contract'
import { visibleFields } from '../query.ts'
import { mostRecords } from '../records/record-body.ts'
import { reference } from './shelf.ts'
import { type DescribedComponent, plain } from './source.ts'

/** The document itself; what else stands in it is for OpenAPI to say. */
const openApiSchema: WireSchema = {
  type: 'object',
  additionalProperties: true,
  required: ['openapi', 'info'],
  properties: { openapi: { type: 'string' }, info: { type: 'object', additionalProperties: true } },
}

const csvSchema: WireSchema = { type: 'string', contentMediaType: 'text/csv' }

/** A zip, or files whose fields or names say their tables. */
const importFormSchema: WireSchema = {
  type: 'object',
  minProperties: 1,
  properties: { file: { type: 'string', contentMediaType: 'application/zip' } },
  additionalProperties: csvSchema,
}

const databaseSchema: WireSchema = { type: 'string', contentMediaType: 'application/x-sqlite3' }

/** What a body or answer of a route looks like. */
export function contentSchema(content: Content, described: DescribedComponent | undefined): WireSchema {
  return described ? (recordContent(content, described) ?? fixedContent(content)) : fixedContent(content)
}

function recordContent(content: Content, { component, model }: DescribedComponent): WireSchema | undefined {
  const record = reference(`${component}.record`)
  const past = reference(`${component}.past`)
  const selected: WireSchema = { anyOf: [record, reference(`${component}.selected`), past] }
  const fresh = reference(`${component}.new`)
  switch (content) {
    case 'record':
      return record
    case 'records':
      return listOf(record)
    case 'recordOrRecords':
      return { oneOf: [record, listOf(record)] }
    case 'selectedRecord':
      return selected
    case 'selectedRecords':
      return listOf(selected)
    case 'newRecord':
      return fresh
    case 'newRecords':
      return { ...listOf(fresh), maxItems: mostRecords }
    case 'savedRecord':
      return reference(`${component}.saved`)
    case 'recordPatch':
      return reference(`${component}.patch`)
    case 'deletion':
      return { anyOf: [deletionSchema(plain(model.id.schema), record), erasureSchema(plain(model.id.schema))] }
    case 'recordDiff':
      return diffSchema(
        past,
        visibleFields(model).map(({ name }) => name),
      )
    case 'groups':
      return listOf(reference(`${component}.group`))
    default:
      return undefined
  }
}

function fixedContent(content: Content): WireSchema {
  switch (content) {
    case 'restoration':
      return reference('api.restoration')
    case 'revertTarget':
      return revertTargetSchema
    case 'bulkDeletion':
      return bulkDeletionSchema
    case 'batch':
      return reference('api.batch')
    case 'batchResults':
      return reference('api.batch-results')
    case 'status':
      return reference('api.status')
    case 'auditEntries':
      return listOf(reference('api.audit-entry'))
    case 'auditVerdict':
      return reference('api.audit-verdict')
    case 'checkpoint':
      return reference('api.checkpoint')
    case 'auditProof':
      return reference('api.audit-proof')
    case 'changes':
      return reference('api.changes')
    case 'zip':
      return { type: 'string', contentMediaType: 'application/zip' }
    case 'database':
      return databaseSchema
    case 'databaseForm':
      return { type: 'object', additionalProperties: false, required: ['file'], properties: { file: databaseSchema } }
    case 'backups':
      return listOf(reference('api.backup'))
    case 'restoreReport':
      return reference('api.restore-report')
    case 'importForm':
      return importFormSchema
    case 'csv':
      return csvSchema
    case 'importReport':
      return reference('api.import-report')
    case 'job':
      return reference('api.job')
    case 'jobs':
      return listOf(reference('api.job'))
    case 'accessQuestion':
      return reference('api.access-question')
    case 'revertQuestion':
      return reference('api.revert-question')
    case 'revertReport':
      return reference('api.revert-report')
    case 'accessAnswer':
      return reference('api.access-answer')
    case 'changeEvents':
    case 'html':
    case 'metrics':
    case 'svg':
    case 'dot':
      return { type: 'string' }
    default:
      return openApiSchema
  }
}

function listOf(items: WireSchema): WireSchema {
  return { type: 'array', items }
}
