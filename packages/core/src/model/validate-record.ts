import type { ValidationIssue } from '../errors.ts'
import type { AnyModel, Field } from './model.ts'
import { suggestion } from './nearest-name.ts'
import { perModel } from './per-model.ts'
import { same } from './value-types/value-type.ts'

/** More are of no use to anybody, and a body can have a hundred thousand unknown fields. */
const mostIssues = 100

/** Characters of an unknown field's name that an issue repeats: a body can hold one of a million. */
const longestName = 100

interface CheckStep {
  readonly name: string
  readonly check: Field['check']
  readonly nullable: boolean
  /** Nothing is wrong when the field is not there: an insert empties it, or the database counts it. */
  readonly mayBeMissing: boolean
}

const checkSteps = perModel((model) =>
  model.fields
    .filter((field) => !field.hidden)
    .map((field): CheckStep => {
      const counted = field.role === 'id' && model.idType === 'integer'
      return { name: field.name, check: field.check, nullable: field.nullable, mayBeMissing: counted || (field.nullable && field.optional) }
    }),
)

const nothing: readonly ValidationIssue[] = Object.freeze([])

/**
 * Says what keeps a record from being stored: a field that is missing, null, of the wrong type or out of range, or that
 * the model does not have. The record is in code form and whole; only an id that the database counts, and fields that
 * are null when they are left out, may be missing. The hidden row_version is not looked at.
 *
 * @returns one issue for each field that is wrong, 100 at most; the same empty list whenever all is well
 */
export function validateRecord(model: AnyModel, record: Readonly<Record<string, unknown>>): readonly ValidationIssue[] {
  let issues: ValidationIssue[] | undefined
  for (const { name, check, nullable, mayBeMissing } of checkSteps(model)) {
    const value = record[name]
    let message: string | undefined
    if (value === undefined) message = mayBeMissing ? undefined : 'is required'
    else if (value === null) message = nullable ? undefined : 'must not be null'
    else message = check(value)
    if (message === undefined) continue
    issues ??= []
    issues.push({ path: name, message })
  }
  for (const name in record) {
    if (model.fieldsByName.has(name) || record[name] === undefined) continue
    issues ??= []
    if (issues.length < mostIssues) issues.push(unknownField(model, name))
  }
  return issues ?? nothing
}

/** The issue for a field that the model does not have, or does not show. */
export function unknownField(model: AnyModel, name: string): ValidationIssue {
  const known = model.fields.filter((field) => !field.hidden).map((field) => field.name)
  const path = name.length > longestName ? `${name.slice(0, longestName)}…` : name
  return { path, message: `is no field of ${model.name}.${suggestion(name, known)}` }
}

interface NormaliseStep {
  readonly name: string
  /** Gives the value of a field that is missing; undefined leaves it so. */
  readonly fill: (() => unknown) | undefined
  readonly normalise: Field['normalise'] | undefined
}

const empty = (): null => null

const normaliseSteps = perModel((model) =>
  model.fields
    .filter((field) => !field.hidden)
    .map((field): NormaliseStep => {
      const fill = field.makeDefault ?? (field.nullable && field.optional ? empty : undefined)
      return { name: field.name, fill, normalise: field.normalise === same ? undefined : field.normalise }
    }),
)

/**
 * Brings the library's own copy of a record into the form that is stored: a missing field gets its default or null, -0
 * becomes 0, a decimal its digits, dates, bytes and JSON are copied. What is not acceptable stays as it is, for
 * `validateRecord` to find. The hidden row_version is not touched.
 */
export function normaliseRecord(model: AnyModel, record: Record<string, unknown>): void {
  for (const { name, fill, normalise } of normaliseSteps(model)) {
    const given = record[name]
    const value = given === undefined && fill ? fill() : given
    const normal = normalise && value !== undefined && value !== null ? normalise(value) : value
    if (!Object.is(normal, given)) record[name] = normal
  }
}
