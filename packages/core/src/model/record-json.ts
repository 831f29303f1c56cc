import type { ValidationIssue } from '../errors.ts'
import type { AnyModel, Field } from './model.ts'
import { perModel } from './per-model.ts'
import { unknownField } from './validate-record.ts'
import { same } from './value-types/value-type.ts'

/** Stands for the value of a secret field, null or not, wherever one would show. */
export const secretMark = '[secret]'

/** More are of no use to anybody, and a body can have a hundred thousand unknown fields. */
const mostIssues = 100

interface WriteStep {
  readonly name: string
  readonly secret: boolean
  /** Undefined where the value is the same in code and in JSON. */
  readonly toJson: Field['toJson'] | undefined
}

const writeSteps = perModel((model) =>
  model.fields
    .filter((field) => !field.hidden)
    .map(({ name, secret, toJson }): WriteStep => ({ name, secret, toJson: toJson === same ? undefined : toJson })),
)

/**
 * A record in wire form: a plain object that JSON.stringify takes as it is. Fields that the row does not have are left
 * out, so projections stay small; the hidden row_version always is.
 *
 * @param options `secrets`: leave secret fields out, or put `secretMark` in their place, also where they are null
 * @example
 * ```ts
 * const Order = defineModel('orders', { total: Int64(), token: Type.String() }, { secret: ['token'] })
 * recordToJson(Order, { id: 1, total: 12n, token: 'x' }, { secrets: 'mask' })
 * // { id: 1, total: '12', token: '[secret]' }
 * ```
 */
export function recordToJson(
  model: AnyModel,
  row: Readonly<Record<string, unknown>>,
  options: { readonly secrets: 'omit' | 'mask' },
): Record<string, unknown> {
  const json: Record<string, unknown> = {}
  for (const { name, secret, toJson } of writeSteps(model)) {
    const value = row[name]
    if (value === undefined) continue
    if (secret) {
      if (options.secrets === 'mask') json[name] = secretMark
    } else json[name] = value === null || !toJson ? value : toJson(value)
  }
  return json
}

/** What a request does with a body: which fields it may set depends on it. */
export type WriteMode = 'insert' | 'update' | 'replace'

/** A body in code form. */
export interface ReadRecord {
  /** The fields that the request may set. */
  readonly record: Record<string, unknown>
  /**
   * Fields that a request may not set (ids that are made here, stamps, deleted_at, readOnly ones, and other than on
   * insert every id and immutable ones): decoded where they are well-formed, else as they came. The caller compares
   * them with the stored record or refuses them by name.
   */
  readonly owned: Record<string, unknown>
  readonly issues: readonly ValidationIssue[]
}

/**
 * Reads a body in wire form. Issues name the field and say what is wrong: not an object, an unknown field, null where
 * none may be, a value of the wrong shape or out of range. A missing field is no issue here: hooks may still fill it in.
 *
 * @example
 * ```ts
 * const Order = defineModel('orders', { total: Int64() }, { stamps: true })
 * recordFromJson(Order, { total: '12', created_at: '2026-01-31T12:00:00Z', colour: 'red' }, 'insert')
 * // { record: { total: 12n }, owned: { created_at: Date }, issues: [{ path: 'colour', message: 'is no field of orders.' }] }
 * ```
 */
export function recordFromJson(model: AnyModel, body: unknown, mode: WriteMode): ReadRecord {
  const record: Record<string, unknown> = {}
  const owned: Record<string, unknown> = {}
  const issues: ValidationIssue[] = []
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { record, owned, issues: [{ path: '', message: 'must be a JSON object with a value for each field' }] }
  }
  for (const [name, wire] of Object.entries(body)) {
    if (issues.length >= mostIssues) break
    if (wire === undefined) continue
    const field = model.fieldsByName.get(name)
    if (!field || field.hidden) {
      issues.push(unknownField(model, name))
      continue
    }
    const value: unknown = wire === null ? null : field.fromJson(wire)
    const problem = value === null ? (field.nullable ? undefined : 'must not be null') : field.check(value)
    if (isOwned(model, field, mode)) owned[name] = problem === undefined ? value : wire
    else if (problem === undefined) record[name] = value
    else issues.push({ path: name, message: problem })
  }
  return { record, owned, issues }
}

/** Whether a request may not set the field. */
export function isOwned(model: AnyModel, field: Field, mode: WriteMode): boolean {
  if (field.role === 'id') return mode !== 'insert' || model.idType !== 'text'
  return field.role !== 'data' || field.readOnly || (field.immutable && mode !== 'insert')
}
