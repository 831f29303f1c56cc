import type { Options, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** What a server answered to a request that belongs to an operation of the document. */
export interface ObservedAnswer {
  readonly method: string
  /** The path as the document has it: `/users/{id}`. */
  readonly path: string
  readonly status: number
  /** Lower-case names, as Node has them; undefined ones were not sent. */
  readonly headers: Readonly<Record<string, string | number | readonly string[] | undefined>>
  /** The text as it came; empty where the answer had no body. */
  readonly body: string
}

type Json = Readonly<Record<string, unknown>>

/** Headers that HTTP itself brings; the document says nothing of them. */
const transportHeaders = new Set(['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding'])

/**
 * Holds an answer against an OpenAPI 3.1 document: its status, its media type, its headers both ways (those required are there, and
 * those there are described), and its body. Answers a sentence for each fault; none when the document tells the truth.
 *
 * @param ignoredHeaders lower-case names of headers that others than the API send
 * @example
 * const faults = checkAnswer(document, { method: 'GET', path: '/users/{id}', status: 200, headers: response.headers, body: response.body })
 * expect(faults).toEqual([])
 */
export function checkAnswer(document: object, answer: ObservedAnswer, ignoredHeaders: readonly string[] = []): string[] {
  const place = `${answer.method.toUpperCase()} ${answer.path} ${answer.status}`
  const pointer = ['paths', answer.path, answer.method.toLowerCase(), 'responses', String(answer.status)]
  const response = resolve(document, pointer)
  if (!response) return [`${place}: the document has no such ${at(document, pointer.slice(0, 3)) ? 'answer' : 'operation'}`]
  const faults = [...headerFaults(document, response, answer, ignoredHeaders), ...bodyFaults(document, response, answer)]
  return faults.map((fault) => `${place}: ${fault}`)
}

/** A part of the document, and where it is. */
interface Found {
  readonly value: Json
  readonly pointer: readonly string[]
}

function at(document: object, pointer: readonly string[]): unknown {
  let value: unknown = document
  for (const step of pointer) value = typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined
  return value
}

/** Follows references, which lead to other parts of the document only. */
function resolve(document: object, pointer: readonly string[]): Found | undefined {
  const value = at(document, pointer)
  if (typeof value !== 'object' || value === null) return undefined
  const reference: unknown = Reflect.get(value, '$ref')
  if (typeof reference !== 'string') return { value: value as Json, pointer }
  return resolve(document, reference.slice(2).split('/').map(unescaped))
}

function unescaped(step: string): string {
  return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
}

function headerFaults(document: object, response: Found, { headers }: ObservedAnswer, ignored: readonly string[]): string[] {
  const declared = new Map(Object.keys(objectOf(response.value['headers'])).map((name) => [name.toLowerCase(), name]))
  const strangers = Object.keys(headers).filter((name) => {
    return headers[name] !== undefined && !transportHeaders.has(name) && !ignored.includes(name) && !declared.has(name)
  })
  return [
    ...strangers.map((name) => `the header ${name} (${String(headers[name])}) is not described`),
    ...[...declared].flatMap(([lower, name]) => {
      const header = resolve(document, [...response.pointer, 'headers', name])
      const sent = headers[lower]
      if (!header) return [`the description of the header ${name} is missing`]
      if (sent === undefined) return header.value['required'] === true ? [`the header ${name} is missing`] : []
      const problem = problemOf(document, [...header.pointer, 'schema'], readHeader(header.value, String(sent)))
      return problem === undefined ? [] : [`the header ${name} (${String(sent)}) ${problem}`]
    }),
  ]
}

/** Headers are text; a number is read where the schema wants one. */
function readHeader({ schema }: Json, text: string): unknown {
  const { type } = objectOf(schema)
  if (type === 'integer' || type === 'number') return Number(text)
  return type === 'boolean' && (text === 'true' || text === 'false') ? text === 'true' : text
}

function bodyFaults(document: object, response: Found, { headers, body }: ObservedAnswer): string[] {
  const declared = Object.keys(objectOf(response.value['content']))
  const sent = headers['content-type']
  if (declared.length === 0) return body === '' ? [] : ['there is a body, and the document has none']
  const mediaType = sent === undefined ? 'none' : (String(sent).split(';', 1)[0] ?? '').trim()
  if (!declared.includes(mediaType)) return [`the media type is ${mediaType}, and the document has ${declared.join(', ')}`]
  const isJson = mediaType === 'application/json' || mediaType.endsWith('+json')
  const value = isJson ? parsed(body) : body
  if (value === undefined) return [`the body is no JSON: ${body.slice(0, 500)}`]
  const problem = problemOf(document, [...response.pointer, 'content', mediaType, 'schema'], value)
  return problem === undefined ? [] : [`the body ${problem}: ${body.slice(0, 500)}`]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

const validators = new WeakMap<object, { readonly ajv: Ajv2020; readonly compiled: Map<string, ValidateFunction> }>()

/** What is wrong with a value by the schema that stands at this place of the document; undefined when nothing is. */
export function problemOf(document: object, pointer: readonly string[], value: unknown): string | undefined {
  const { ajv, compiled } = validatorsOf(document)
  const path = pointer.map((step) => `/${encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')
  const validate = compiled.get(path) ?? ajv.compile({ $ref: `document#${path}` })
  compiled.set(path, validate)
  if (validate(value)) return undefined
  const [first] = validate.errors ?? []
  return `${first?.instancePath ? `at ${first.instancePath}: ` : ''}${first?.message ?? 'is invalid'} ${JSON.stringify(first?.params)}`
}

function validatorsOf(document: object): { readonly ajv: Ajv2020; readonly compiled: Map<string, ValidateFunction> } {
  const known = validators.get(document)
  if (known) return known
  // The document has words that no schema knows (`example`), and models may have formats of their own.
  const options: Options = { strict: false, allErrors: false, validateSchema: false, logger: false, unicodeRegExp: true }
  const ajv = new Ajv2020(options)
  formats.default(ajv)
  ajv.addSchema({ ...document, $id: 'document' })
  const made = { ajv, compiled: new Map<string, ValidateFunction>() }
  validators.set(document, made)
  return made
}

/** The operations of a document. */
export function operationsOf(document: object): { readonly method: string; readonly path: string; readonly statuses: readonly number[] }[] {
  return Object.entries(objectOf(Reflect.get(document, 'paths'))).flatMap(([path, methods]) =>
    Object.entries(objectOf(methods)).map(([method, operation]) => {
      return { method: method.toUpperCase(), path, statuses: Object.keys(objectOf(objectOf(operation)['responses'])).map(Number) }
    }),
  )
}
