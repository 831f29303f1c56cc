import {
  answerHeaders,
  auditEntrySchema,
  batchResultsSchema,
  batchRoute,
  batchSchema,
  commonErrors,
  type ErrorCode,
  errorCatalogue,
  operatorRoutes,
  pageLimit,
  problemSchema,
  type ResponseStyle,
  type Route,
  type RouteAnswer,
  type RouteParameter,
  recordRoutes,
  requestIdHeader,
  restorationSchema,
  statusSchema,
  systemRoutes,
} from '@strongroom/contract'
import type { AnyModel } from '@strongroom/core'
import { filterParameters, filterSentence } from './openapi-filters.ts'
import { contentSchema, recordSchemas, reference } from './openapi-schemas.ts'

/** What the document is made from. */
export interface OpenApiSource {
  readonly components: readonly { readonly component: string; readonly model: AnyModel }[]
  /** Stands before every path. */
  readonly prefix: string
  /** The operators' routes are mounted. */
  readonly operators: boolean
  /** Where the system routes are. */
  readonly systemPaths: Readonly<Record<string, `/${string}` | false>>
  readonly pageSize: { readonly defaultLimit: number; readonly maxLimit: number }
  /** The `X-User` header names whoever writes. */
  readonly namesActor: boolean
  /** How the server answers. */
  readonly responses: ResponseStyle
}

type Json = Readonly<Record<string, unknown>>

/** Describes the API as OpenAPI 3.1. A pure function of the routes, which are data, and the models. */
export function openApiDocument(source: OpenApiSource): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  const add = (path: string, route: Route, operation: Json): void => {
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation }
  }
  for (const { component, model } of source.components) {
    for (const route of recordRoutes)
      add(`${source.prefix}/${component}${route.path}`, route, recordOperation(source, component, model, route))
  }
  if (source.components.length > 0) add(`${source.prefix}${batchRoute.path}`, batchRoute, plainOperation('batch', batchRoute, source))
  if (source.operators)
    for (const route of operatorRoutes) add(`${source.prefix}/db${route.path}`, route, plainOperation('db', route, source))
  for (const route of systemRoutes) {
    const path = source.systemPaths[route.operation]
    if (path !== undefined && path !== false) add(`${source.prefix}${path}`, route, plainOperation('system', route, source))
  }
  const schemas = Object.assign(
    {},
    ...source.components.map(({ component, model }) => recordSchemas(component, model)),
    fixedSchemas,
  ) as Json
  return { openapi: '3.1.0', info: { title: 'Strongroom', version: '1.0.0' }, paths, components: { schemas } }
}

const fixedSchemas: Json = {
  'api.problem': problemSchema,
  'api.status': statusSchema,
  'api.restoration': restorationSchema,
  'api.audit-entry': auditEntrySchema,
  'api.batch': batchSchema,
  'api.batch-results': batchResultsSchema,
}

function plainOperation(tag: string, route: Route, source: OpenApiSource): Json {
  const parameters = ownParameters(route, source)
  return {
    operationId: route.operation === tag ? tag : `${tag}_${route.operation}`,
    tags: [tag],
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && { requestBody: requestBody(route.body, tag, undefined) }),
    responses: responses(route, tag, undefined),
  }
}

function recordOperation(source: OpenApiSource, component: string, model: AnyModel, route: Route): Json {
  const filters = route.filters ? filterParameters(model) : []
  const own = ownParameters(route, source)
  const id = route.path.includes('{id}') ? [{ name: 'id', in: 'path', required: true, schema: model.id.schema }] : []
  return {
    operationId: `${component}_${route.operation}`,
    tags: [component],
    summary: route.summary,
    ...(route.filters && { description: filterSentence }),
    parameters: [...id, ...filters, ...own],
    ...(route.body && { requestBody: requestBody(route.body, component, model) }),
    responses: responses(route, component, model),
  }
}

function ownParameters(route: Route, source: OpenApiSource): Json[] {
  return route.parameters
    .filter((parameter) => parameter.name !== 'X-User' || source.namesActor)
    .map((parameter) => configured(parameter, source))
}

/** Limits are those of this server; whoever writes has to be named. */
function configured(parameter: RouteParameter, { pageSize }: OpenApiSource): Json {
  if (parameter.name === 'X-User') return { ...parameter, required: true }
  if (parameter !== pageLimit) return { ...parameter }
  return { ...parameter, schema: { ...parameter.schema, maximum: pageSize.maxLimit, default: pageSize.defaultLimit } }
}

function requestBody({ mediaTypes, content }: NonNullable<Route['body']>, component: string, model: AnyModel | undefined): Json {
  const forms = content.map((one) => contentSchema(one, component, model))
  const schema = forms.length === 1 ? forms[0] : { oneOf: forms }
  return { required: true, content: Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema }])) }
}

function responses(route: Route, component: string, model: AnyModel | undefined): Json {
  const answers: Record<string, unknown> = {}
  for (const answer of route.answers) answers[String(answer.status)] = response(answer, component, model)
  const byStatus = new Map<number, ErrorCode[]>()
  const codes = new Set(route.parameters.includes(requestIdHeader) ? [...route.errors, ...commonErrors] : route.errors)
  for (const code of codes) {
    const { status } = errorCatalogue[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  for (const [status, group] of [...byStatus].sort(([a], [b]) => a - b)) {
    const description = group.map((code) => `${errorCatalogue[code].title} (\`${code}\`)`).join('; ')
    answers[String(status)] = { description, content: { 'application/problem+json': { schema: reference('api.problem') } } }
  }
  return answers
}

function response({ description, headers, mediaType, content }: RouteAnswer, component: string, model: AnyModel | undefined): Json {
  const described = headers.map((name) => [name, { description: answerHeaders[name], schema: { type: 'string' } }])
  return {
    description,
    ...(headers.length > 0 && { headers: Object.fromEntries(described) }),
    ...(mediaType && content && { content: { [mediaType]: { schema: contentSchema(content, component, model) } } }),
  }
}
