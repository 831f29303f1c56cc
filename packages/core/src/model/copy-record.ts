import type { AnyModel, Field, FieldKind } from './model.ts'
import { perModel } from './per-model.ts'

/** Values that can be changed in place; all others are themselves. */
const changeable = new Set<FieldKind>(['json', 'datetime', 'bytes'])

const changeableFields = perModel((model): readonly Field[] => model.fields.filter((field) => !field.hidden && changeable.has(field.kind)))

/** A copy of a record that shares nothing with it: lists, dates and bytes inside are copied too. */
export function copyRecord(model: AnyModel, record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copy = { ...record }
  ownValues(model, copy)
  return copy
}

/** Replaces the values of a record that can be changed in place, so that it shares none of them with another record. */
export function ownValues(model: AnyModel, record: Record<string, unknown>): void {
  for (const { name, normalise } of changeableFields(model)) {
    const value = record[name]
    if (typeof value === 'object' && value !== null) record[name] = normalise(value)
  }
}
