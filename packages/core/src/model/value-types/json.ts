import type { TSchema } from 'typebox'
import { isPlainObject } from '../plain-object.ts'
import { publishedSchema } from './published-schema.ts'
import { schemaCheck } from './schema-check.ts'
import { textProblem } from './text.ts'
import { same, type ValueType } from './value-type.ts'

/** Data that JSON can carry, not counting null: a field that is empty is null itself. */
export type JsonData = string | number | boolean | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** Data that JSON can carry. */
export type JsonValue = JsonData | null

/** Arrays and objects within each other; deeper data would overflow the stack of those who walk it. */
const deepest = 100

interface Problem {
  path: string
  readonly message: string
}

/** Plain JSON data of any shape, or of the schema's. */
export function jsonType(schema: TSchema | undefined): ValueType {
  const fits = schema && schemaCheck(schema)
  return {
    kind: 'json',
    schema: schema ? publishedSchema(schema) : {},
    check: (value) => {
      const problem = findProblem(value, 0)
      if (problem) return problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`
      return fits?.(value)
    },
    normalise: copyOrKeep,
    toJson: same,
    fromJson: same,
  }
}

function findProblem(value: unknown, depth: number): Problem | undefined {
  switch (typeof value) {
    case 'string': {
      const message = textProblem(value)
      return message === undefined ? undefined : { path: '', message }
    }
    case 'number':
      return Number.isFinite(value) ? undefined : { path: '', message: 'must be a finite number' }
    case 'boolean':
      return undefined
    case 'object':
      if (value === null) return undefined
      if (depth >= deepest) return { path: '', message: `must not be nested more than ${deepest} deep` }
      if (Array.isArray(value)) return findInList(value, depth + 1)
      if (isPlainObject(value)) return findInObject(value, depth + 1)
  }
  return { path: '', message: 'must be JSON data: text, finite numbers, booleans, null, lists and plain objects of these' }
}

function findInList(list: readonly unknown[], depth: number): Problem | undefined {
  for (let index = 0; index < list.length; index++) {
    const problem = findProblem(list[index], depth)
    if (problem) return within(index, problem)
  }
  return undefined
}

function findInObject(object: Readonly<Record<string, unknown>>, depth: number): Problem | undefined {
  for (const key of Object.keys(object)) {
    // Whoever copies such an object by assignment would change its prototype.
    if (key === '__proto__') return { path: '', message: 'must not have the key __proto__' }
    const keyProblem = textProblem(key)
    if (keyProblem !== undefined) return { path: '', message: `has a key that ${keyProblem}` }
    const problem = findProblem(object[key], depth)
    if (problem) return within(key, problem)
  }
  return Object.getOwnPropertySymbols(object).length > 0 ? { path: '', message: 'must not have symbols for keys' } : undefined
}

function within(key: string | number, problem: Problem): Problem {
  problem.path = `/${key}${problem.path}`
  return problem
}

/** A copy that nobody else holds. What is no JSON data is kept as it is, for `check` to refuse. */
function copyOrKeep(value: unknown): unknown {
  try {
    return copyJson(value, 0)
  } catch (error) {
    if (error === tooDeep) return value
    throw error
  }
}

/** Ends the copying at once: an object that holds itself twice would be copied for ever. */
const tooDeep = new Error('JSON data that is too deep')

function copyJson(value: unknown, depth: number): unknown {
  if (value === 0) return 0
  if (typeof value !== 'object' || value === null) return value
  if (depth >= deepest) throw tooDeep
  if (Array.isArray(value)) return value.map((item) => copyJson(item, depth + 1))
  if (!isPlainObject(value) || Object.hasOwn(value, '__proto__')) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = copyJson(value[key], depth + 1)
  return copy
}
