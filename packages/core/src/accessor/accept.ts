import { isPromise } from '../engine/is-promise.ts'
import { ValidationError, type ValidationIssue } from '../errors.ts'
import type { Field } from '../model/model.ts'
import { normaliseRecord, validateRecord } from '../model/validate-record.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { sameValue } from './changed-fields.ts'

/** Copies what a caller gave, own fields only: inputs are never changed. */
export function copyInput(input: unknown): FieldValues {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new ValidationError('A record is an object of fields and values.')
  if (isPromise(input)) throw promised(input)
  const copy: FieldValues = {}
  // Own fields of whatever object it is.
  const given = input as FieldValues
  for (const name of Object.keys(given)) if (given[name] !== undefined) copy[name] = given[name]
  return copy
}

/** It has no fields, so that a change would change nothing, and its failure would be nobody's. */
function promised(input: PromiseLike<unknown>): ValidationError {
  input.then(undefined, () => undefined)
  return new ValidationError(
    'A record is an object of fields and values, and not a promise of one: await it first, and let a function of the record answer at once.',
  )
}

/**
 * Checks records as they will be stored, after the hooks. Of several, `path` says which: `2.email`.
 * @param standing the records as they are: what stands there and stays was accepted when it was written, by a model that may have been another one
 */
export function acceptRecords(bound: BoundAccessor, records: readonly FieldValues[], standing?: readonly FieldValues[]): void {
  let issues: ValidationIssue[] | undefined
  records.forEach((record, index) => {
    normaliseRecord(bound.model, record)
    const found = newIssues(bound, record, standing?.[index])
    if (found.length === 0) return
    const prefix = records.length > 1 ? `${index}.` : ''
    issues ??= []
    for (const issue of found) issues.push({ path: `${prefix}${issue.path}`, message: issue.message })
  })
  if (issues) throw new ValidationError(issues)
}

function newIssues({ model }: BoundAccessor, record: FieldValues, standing: FieldValues | undefined): readonly ValidationIssue[] {
  const issues = validateRecord(model, record)
  if (issues.length === 0 || !standing) return issues
  return issues.filter(({ path }) => {
    const field = model.fieldsByName.get(path)
    return !field || !sameValue(field, record[path], standing[path])
  })
}

/** The form in which a value would be stored: '1.5' is the '1.50' that a record was read with. */
function stored(field: Field, value: unknown): unknown {
  return value === null ? null : field.normalise(value)
}

/** Refuses what before-hooks did to fields that nobody may change now; `drafts` are the records as they found them. */
export function refuseOwnedChanges(
  bound: BoundAccessor,
  drafts: readonly FieldValues[],
  records: readonly FieldValues[],
  inserting = false,
): void {
  if (drafts.length === 0) return
  const kept = bound.model.fields.filter((field) => field.hidden || (inserting ? fixedOnInsert.has(field.role) : isFixedOnUpdate(field)))
  const issues = drafts.flatMap((draft, index) => {
    const record = records[index] ?? draft
    const prefix = records.length > 1 ? `${index}.` : ''
    return kept
      .filter((field) => !sameStored(field, draft[field.name], record[field.name]))
      .map((field) => ({ path: `${prefix}${field.name}`, message: 'cannot be changed by a hook' }))
  })
  if (issues.length > 0) throw new ValidationError(issues)
}

function sameStored(field: Field, a: unknown, b: unknown): boolean {
  return (a ?? null) === (b ?? null) || sameValue(field, stored(field, a ?? null), stored(field, b ?? null))
}

/** Stamps of a change are not among them: they are set after the hooks. */
const fixedOnInsert = new Set<Field['role']>(['createdAt', 'createdBy', 'deletedAt'])

/** Whether nobody may change it in a record that stands. */
export function isFixedOnUpdate(field: Field): boolean {
  return field.immutable || field.role === 'id' || fixedOnInsert.has(field.role)
}

const keptByLibrary = new Set<Field['role']>(['createdAt', 'updatedAt', 'createdBy', 'updatedBy', 'deletedAt', 'rowVersion'])

/** Refuses fields that the library keeps itself, unless they are given as they stand (a record read and sent back). */
export function refuseOwnedFields(bound: BoundAccessor, input: FieldValues, current: FieldValues | undefined): void {
  const issues: ValidationIssue[] = []
  for (const name of Object.keys(input)) {
    const field = bound.model.fieldsByName.get(name)
    if (!field) continue
    const value = input[name]
    if (field.hidden) issues.push({ path: name, message: 'is no field of this model' })
    else if (current !== undefined && sameValue(field, stored(field, value), current[name])) continue
    else if (keptByLibrary.has(field.role)) issues.push({ path: name, message: 'is kept by the storage and cannot be given' })
    else if (current !== undefined && field.role === 'id') issues.push({ path: name, message: 'cannot change' })
    else if (current !== undefined && field.immutable) issues.push({ path: name, message: 'can only be given when the record is made' })
  }
  if (issues.length > 0) throw new ValidationError(issues)
}
