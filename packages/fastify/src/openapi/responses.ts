import {
  type AnswerHeader,
  answerHeaders,
  commonErrors,
  type ErrorCode,
  errorCatalogue,
  type Route,
  type RouteAnswer,
} from '@strongroom/contract'
import { contentSchema } from './contents.ts'
import { contentExample, type ExampleSubject, envelopedExample, envelopedSchema, isEnveloped } from './example-content.ts'
import { problemExample } from './problem-examples.ts'
import { reference, type Shelf } from './shelf.ts'
import type { Json } from './source.ts'

/** Any answer can have them. */
const traceHeaders: readonly AnswerHeader[] = ['X-Trace-Id', 'traceparent']

/** Every answer of a route: its successes, and each error with an example for each of its codes. */
export function responses(shelf: Shelf, route: Route, subject: ExampleSubject): Json {
  const answers: Record<string, Json> = {}
  for (const answer of route.answers)
    if (isGiven(route, answer, subject))
      answers[String(answer.status)] = together(answers[String(answer.status)], success(shelf, route, answer, subject))
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set([...route.errors, ...commonErrors, ...subject.source.announcedErrors])) {
    const { status } = errorCatalogue[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b))
    answers[String(status)] = failure(shelf, route, status, codes, subject)
  return answers
}

/** One answer in several media types. */
function together(one: Json | undefined, other: Json): Json {
  return one === undefined ? other : { ...other, content: { ...Object(one['content']), ...Object(other['content']) } }
}

/** Integer ids are counted: nobody makes a record at one. */
function isGiven(route: Route, { status }: RouteAnswer, { described }: ExampleSubject): boolean {
  return !(route.operation === 'save' && status === 201 && described?.model.idType === 'integer')
}

function success(shelf: Shelf, route: Route, answer: RouteAnswer, subject: ExampleSubject): Json {
  const { description, mediaType, content } = answer
  const headers = { headers: headersOf(shelf, answer.headers) }
  if (mediaType === undefined || content === undefined) return { description, ...headers }
  const enveloped = isEnveloped(subject.source, answer)
  const schema = contentSchema(content, subject.described)
  const example = contentExample(content, subject)
  const media = {
    schema: enveloped ? envelopedSchema(route, schema) : schema,
    ...(example !== undefined && { example: enveloped ? envelopedExample(route, example) : example }),
  }
  return { description, ...headers, content: { [mediaType]: media } }
}

function failure(shelf: Shelf, route: Route, status: number, codes: readonly ErrorCode[], { source }: ExampleSubject): Json {
  const description = codes.map((code) => `${errorCatalogue[code].title} (\`${code}\`)`).join('; ')
  const names: AnswerHeader[] = ['X-Request-Id']
  if (status === 503 || status === 429) names.push('Retry-After')
  if (status === 429) names.push('RateLimit', 'RateLimit-Policy')
  if (status === 415 && route.method === 'PATCH') names.push('Accept-Patch')
  const enveloped = source.responses === 'envelope'
  const examples = codes.map((code) => [code, shelf.share('examples', code, problemExample(code, source.responses))])
  const media = { schema: reference(enveloped ? 'api.failure' : 'api.problem'), examples: Object.fromEntries(examples) as Json }
  return {
    description,
    headers: headersOf(shelf, names),
    content: { [enveloped ? 'application/json' : 'application/problem+json']: media },
  }
}

function headersOf(shelf: Shelf, names: readonly AnswerHeader[]): Json {
  return Object.fromEntries([...names, ...traceHeaders].map((name) => [name, shelf.share('headers', name, answerHeaders[name])]))
}
