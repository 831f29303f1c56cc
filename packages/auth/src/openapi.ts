import { errorCatalogue, problemSchema, type WireSchema } from '@strongroom/contract'
import { type AuthRoute, authRoutes } from './routes/auth-routes.ts'

/** The part of an OpenAPI 3.1 document that describes `/auth`. */
export interface AuthDescription {
  readonly paths: Readonly<Record<string, Readonly<Record<string, WireSchema>>>>
  readonly tag: { readonly name: string; readonly description: string }
  /** How callers say who they are, for `components.securitySchemes`. */
  readonly securitySchemes: Readonly<Record<string, WireSchema>>
  /** What routes that need a caller have as `security`. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
}

const bearer = { accessToken: [] }
const key = { apiKey: [] }

/**
 * Describes the routes of `passwordAuthentication` for an OpenAPI 3.1 document.
 *
 * @param prefix stands before every path
 * @param problem the schema of errors; that of RFC 9457 unless said
 * @example
 * const { paths, tag, securitySchemes, security } = authOpenApi('/api')
 */
export function authOpenApi(prefix = '', problem: WireSchema = problemSchema): AuthDescription {
  const paths: Record<string, Record<string, WireSchema>> = {}
  for (const route of authRoutes) {
    const path = `${prefix}/auth${route.path}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, problem) }
  }
  return {
    paths,
    tag: { name: 'auth', description: 'Signing in and out, and API keys.' },
    securitySchemes: {
      accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token of `POST /auth/token`.' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key of `POST /auth/api-keys`.' },
    },
    security: [bearer, key],
  }
}

function operation(route: AuthRoute, problem: WireSchema): WireSchema {
  const { operation: name, summary, description, body, form, answer } = route
  return {
    operationId: `auth_${name}`,
    tags: ['auth'],
    summary,
    description,
    security: securityOf(route),
    parameters: parametersOf(route),
    ...(body && {
      requestBody: {
        required: Array.isArray(body['required']),
        content: {
          'application/json': { schema: body },
          ...(form && { 'application/x-www-form-urlencoded': { schema: body } }),
        },
      },
    }),
    responses: {
      [answer.status]: { description: answer.description, content: { 'application/json': { schema: answer.schema } } },
      ...errorAnswers(route, problem),
    },
  }
}

function securityOf({ needs }: AuthRoute): readonly Readonly<Record<string, readonly string[]>>[] {
  if (needs === 'nothing') return []
  return needs === 'session' ? [bearer] : [bearer, key]
}

function parametersOf({ path, query = {} }: AuthRoute): WireSchema[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  return [...inPath, ...Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema }))]
}

/** An answer for each status; several codes may share one. */
function errorAnswers({ errors }: AuthRoute, problem: WireSchema): Readonly<Record<string, WireSchema>> {
  const answers: Record<string, WireSchema> = {}
  for (const code of [...errors, 'internal_error', 'storage_unavailable'] as const) {
    const { status, title } = errorCatalogue[code]
    answers[status] = { description: `${title}.`, content: { 'application/problem+json': { schema: problem } } }
  }
  return answers
}
