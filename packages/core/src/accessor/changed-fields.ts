import type { AnyModel, Field } from '../model/model.ts'
import type { FieldValues } from '../query/bound-table.ts'

/** Whether two values of a field are the same to everybody who reads them. */
export function sameValue(field: Field, a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (a === null || b === null || a === undefined || b === undefined) return false
  switch (field.kind) {
    case 'datetime':
      return a instanceof Date && b instanceof Date && a.getTime() === b.getTime()
    case 'bytes':
      return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0
    case 'json':
      return JSON.stringify(a) === JSON.stringify(b)
    default:
      return Object.is(a, b)
  }
}

/** The fields of `after` that differ from `before`, or are named, stamps not counted: a write that touches nothing else is none. */
export function changedFields(model: AnyModel, before: FieldValues, after: FieldValues, named: readonly string[] = []): FieldValues {
  const changed: FieldValues = {}
  for (const field of model.fields) {
    if (field.hidden || isUpdateStamp(model, field)) continue
    if (named.includes(field.name) || !sameValue(field, before[field.name], after[field.name])) changed[field.name] = after[field.name]
  }
  return changed
}

function isUpdateStamp(model: AnyModel, field: Field): boolean {
  return field === model.stamps?.updatedAt || field === model.stamps?.updatedBy
}
