import {
  accessAnswerSchema,
  accessQuestionSchema,
  auditEntrySchema,
  auditProofSchema,
  auditVerdictSchema,
  backupSchema,
  batchRoute,
  changesSchema,
  checkpointSchema,
  failureSchema,
  importReportSchema,
  jobSchema,
  operatorRoutes,
  problemSchema,
  type Route,
  type RouteBody,
  recordRoutes,
  restorationSchema,
  restoreReportSchema,
  revertQuestionSchema,
  revertReportSchema,
  statusSchema,
  systemRoutes,
} from '@strongroom/contract'
import { batchSchemas } from './batch-schemas.ts'
import { contentSchema } from './contents.ts'
import { contentExample, type ExampleSubject } from './example-content.ts'
import { filterParameters, filterSentence } from './filters.ts'
import { ownParameters } from './parameters.ts'
import { recordSchemas } from './record-schemas.ts'
import { responses } from './responses.ts'
import { reference, Shelf } from './shelf.ts'
import type { DescribedComponent, Json, OpenApiSource } from './source.ts'

/** Describes the API as OpenAPI 3.1. A pure function of the routes, which are data, and the models. */
export function openApiDocument(source: OpenApiSource): Json {
  const shelf = new Shelf()
  const paths: Record<string, Record<string, unknown>> = {}
  const add = (path: string, route: Route, operation: Json): void => {
    paths[`${source.prefix}${path}`] = { ...paths[`${source.prefix}${path}`], [route.method.toLowerCase()]: operation }
  }
  for (const described of source.components) {
    for (const route of recordRoutes) {
      // Without soft delete there is nothing to restore: the route says so to whoever asks.
      if (route.operation === 'restore' && !described.model.deletedAt) continue
      add(`/${described.component}${route.path}`, route, recordOperation(shelf, source, described, route))
    }
  }
  if (source.components.length > 0) add(batchRoute.path, batchRoute, plainOperation(shelf, 'batch', batchRoute, source))
  if (source.operators) for (const route of operatorRoutes) add(`/db${route.path}`, route, plainOperation(shelf, 'db', route, source))
  for (const route of systemRoutes) {
    const path = source.systemPaths[route.operation]
    if (path !== undefined && path !== false) add(path, route, plainOperation(shelf, 'system', route, source))
  }
  const problem = reference(source.responses === 'envelope' ? 'api.failure' : 'api.problem')
  const others = (source.describeOthers ?? []).map((describe) => describe(source.prefix, problem))
  const tags = [...tagsOf(source, paths), ...others.map(({ tag }) => tag)]
  // a route that both have is the other's, which was there first
  for (const other of others) for (const [path, operations] of Object.entries(other.paths)) paths[path] = { ...paths[path], ...operations }
  for (const [name, schema] of Object.entries(schemasOf(source))) shelf.share('schemas', name, schema)
  return {
    openapi: '3.1.0',
    info: {
      ...source.info,
      description: descriptionOf(source),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The server that this document comes from.' }],
    security: Object.keys(source.securitySchemes).map((name) => ({ [name]: [] })),
    tags,
    paths,
    components: {
      ...shelf.components(),
      ...(Object.keys(source.securitySchemes).length > 0 && { securitySchemes: source.securitySchemes }),
    },
  }
}

function descriptionOf({ dialects }: OpenApiSource): string {
  const sentences = [
    'Records that are validated, audited and stored by Strongroom.',
    'Errors are told as in RFC 9457 unless the server wraps its answers.',
    'HEAD answers the headers of GET.',
  ]
  // They are for programs that know them already; a new one is to write the parameters that are described.
  if (dialects.length > 0) sentences.push(`Queries of these dialects are translated, and described nowhere here: ${dialects.join(', ')}.`)
  return sentences.join(' ')
}

function schemasOf({ components, operators, responses: style, systemPaths }: OpenApiSource): Readonly<Record<string, Json>> {
  const hasStatus = operators || systemPaths['health'] !== false || systemPaths['ready'] !== false
  return {
    ...Object.fromEntries(components.flatMap((described) => Object.entries(recordSchemas(described, components)))),
    ...(components.length > 0 && batchSchemas(components)),
    ...(style === 'envelope' ? { 'api.failure': failureSchema } : { 'api.problem': problemSchema }),
    ...(hasStatus && { 'api.status': statusSchema }),
    ...(components.some(({ model }) => model.deletedAt) && { 'api.restoration': restorationSchema }),
    ...((operators || components.length > 0) && changesSchemas),
    ...(operators && { ...operatorSchemas, 'api.access-question': questionSchema(components) }),
  }
}

const changesSchemas: Readonly<Record<string, Json>> = {
  'api.audit-entry': auditEntrySchema,
  'api.changes': changesSchema(reference('api.audit-entry')),
}

const operatorSchemas: Readonly<Record<string, Json>> = {
  'api.audit-verdict': auditVerdictSchema,
  'api.checkpoint': checkpointSchema,
  'api.audit-proof': auditProofSchema,
  'api.backup': backupSchema,
  'api.restore-report': restoreReportSchema,
  'api.import-report': importReportSchema,
  'api.job': jobSchema,
  'api.access-answer': accessAnswerSchema,
  'api.revert-question': revertQuestionSchema,
  'api.revert-report': revertReportSchema,
}

/** Only components that there are can be asked about. */
function questionSchema(components: readonly DescribedComponent[]): Json {
  const { properties, ...question } = accessQuestionSchema
  const names = components.map(({ component }) => component)
  return { ...question, properties: { ...Object(properties), ...(names.length > 0 && { component: { type: 'string', enum: names } }) } }
}

/** The id of a job or of an audit entry, which is not that of a record. */
function plainId({ path }: Route): Json {
  const isEntry = path.startsWith('/audit/')
  const schema = isEntry ? { type: 'integer', minimum: 1 } : { type: 'string', format: 'uuid' }
  return { name: 'id', in: 'path', required: true, description: `The id of the ${isEntry ? 'entry' : 'job'}.`, schema }
}

const tagTexts: Readonly<Record<string, string>> = {
  batch: 'Operations of several components in one transaction.',
  db: 'For operators.',
  system: 'The server itself.',
}

function tagsOf({ components }: OpenApiSource, paths: Readonly<Record<string, Record<string, unknown>>>): Json[] {
  const used = new Set(
    Object.values(paths).flatMap((methods) => Object.values(methods).map((operation) => String((operation as { tags: string[] }).tags[0]))),
  )
  const names = [...components.map(({ component }) => component), ...Object.keys(tagTexts).filter((tag) => used.has(tag))]
  return names.map((name) => ({ name, description: tagTexts[name] ?? `The records of ${name}.` }))
}

function plainOperation(shelf: Shelf, tag: string, route: Route, source: OpenApiSource): Json {
  return {
    operationId: route.operation === tag ? tag : `${tag}_${route.operation}`,
    tags: [tag],
    summary: route.summary,
    description: route.description,
    parameters: [...(route.path.includes('{id}') ? [plainId(route)] : []), ...ownParameters(shelf, source, route)],
    ...(route.body && { requestBody: requestBody(route, route.body, { source }) }),
    responses: responses(shelf, route, { source }),
  }
}

function recordOperation(shelf: Shelf, source: OpenApiSource, described: DescribedComponent, route: Route): Json {
  const { component, model } = described
  const filters = route.filters ? filterParameters(shelf, component, model, route) : []
  const id = { name: 'id', in: 'path', required: true, description: `The ${model.id.name} of the record.`, schema: model.id.schema }
  const subject = { source, described }
  return {
    operationId: `${component}_${route.operation}`,
    tags: [component],
    summary: route.summary,
    description: route.filters ? `${route.description} ${filterSentence}` : route.description,
    parameters: [...(route.path.includes('{id}') ? [id] : []), ...ownParameters(shelf, source, route, described), ...filters],
    ...(route.body && { requestBody: requestBody(route, route.body, subject) }),
    responses: responses(shelf, route, subject),
  }
}

function requestBody({ otherBodies = [] }: Route, body: RouteBody, subject: ExampleSubject): Json {
  return { required: true, content: Object.assign({}, ...[body, ...otherBodies].map((one) => bodyContent(one, subject))) as Json }
}

/** The schema and examples of a body, in each of its media types. */
function bodyContent({ mediaTypes, content }: RouteBody, subject: ExampleSubject): Json {
  const forms = content.map((one) => contentSchema(one, subject.described))
  const examples = content.flatMap((one) => {
    const value = contentExample(one, subject)
    return value === undefined ? [] : [[one, { value }]]
  })
  const media = {
    schema: forms.length === 1 ? forms[0] : { oneOf: forms },
    ...(examples.length > 0 && { examples: Object.fromEntries(examples) as Json }),
  }
  return Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, media]))
}
