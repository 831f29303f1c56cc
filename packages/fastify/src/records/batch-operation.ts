import { type BatchMethod, batchMethods } from '@strongroom/contract'
import { ValidationError } from '@strongroom/core'

/** One operation of a batch, its form checked. */
export interface BatchOperation {
  readonly method: BatchMethod
  readonly component: string
  readonly id: unknown
  readonly body: unknown
  readonly replace: boolean
  readonly purge: boolean
  readonly ifMatch: string | undefined
}

const known = new Set(['method', 'component', 'id', 'body', 'replace', 'purge', 'if_match'])
const withId = new Set<BatchMethod>(['save', 'patch', 'delete', 'restore'])
const withBody = new Set<BatchMethod>(['create', 'save', 'patch'])

/** Reads one operation. Throws ValidationError. */
export function readOperation(value: unknown): BatchOperation {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('', 'must be an object with a method and a component')
  const stranger = Object.keys(value).find((name) => !known.has(name))
  if (stranger !== undefined) throw invalid(stranger, `is no part of an operation; there are ${[...known].join(', ')}`)
  // An object that was checked above; its members are checked below.
  const { method: word, component, id, body, replace = false, purge = false, if_match: ifMatch } = value as Record<string, unknown>
  const method = batchMethods.find((candidate) => candidate === word)
  if (method === undefined) throw invalid('method', `must be one of ${batchMethods.join(', ')}`)
  if (typeof component !== 'string') throw invalid('component', 'must name a component')
  if (withId.has(method) !== (id !== undefined))
    throw invalid('id', withId.has(method) ? `is needed by ${method}` : `is not taken by ${method}`)
  if (withBody.has(method) !== (body !== undefined)) {
    throw invalid('body', withBody.has(method) ? `is needed by ${method}` : `is not taken by ${method}`)
  }
  if (typeof replace !== 'boolean' || (replace && method !== 'save')) throw invalid('replace', 'must be true or false, and belongs to save')
  if (typeof purge !== 'boolean' || (purge && method !== 'delete')) throw invalid('purge', 'must be true or false, and belongs to delete')
  if (ifMatch !== undefined && (typeof ifMatch !== 'string' || method === 'create')) {
    throw invalid('if_match', 'must be an ETag, and belongs to save, patch, delete and restore')
  }
  return { method, component, id, body, replace, purge, ifMatch }
}

const reference = /^\$(\d{1,3})\.([A-Za-z][A-Za-z0-9_]*)$/
/** Every further `$` in front is one of the text, so that any text can be sent. */
const escaped = /^\$\$+\d{1,3}\.[A-Za-z][A-Za-z0-9_]*$/

/** Puts what earlier operations answered in the place of `"$0.id"`; `"$$0.id"` is the text `$0.id`. Throws ValidationError. */
export function resolveReferences(
  value: unknown,
  path: string,
  records: readonly (Readonly<Record<string, unknown>> | undefined)[],
): unknown {
  if (Array.isArray(value)) return value.map((item, index) => resolveReferences(item, `${path}.${index}`, records))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, resolveReferences(item, path ? `${path}.${name}` : name, records)]),
    )
  }
  if (typeof value !== 'string' || !value.startsWith('$')) return value
  if (escaped.test(value)) return value.slice(1)
  const [, index, field] = reference.exec(value) ?? []
  if (index === undefined || field === undefined) return value
  const record = records[Number(index)]
  if (record && Object.hasOwn(record, field)) return record[field]
  throw invalid(path, `points to ${value}, which no earlier operation has answered`)
}

export function invalid(path: string, message: string): ValidationError {
  return new ValidationError([{ path, message }])
}
