import type { AnyModel } from '../model/model.ts'
import { secretMark } from '../model/record-json.ts'
import { standingRenames } from '../model/renamed-fields.ts'
import { readConverted } from '../model/value-types/conversion.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { isComparable } from '../query/comparable.ts'

/**
 * Reads the image of a record in code form: the fields that the model has today, found by the names that they had then, and with values of the type that
 * they have now. One that the image does not have, or whose value cannot be written in that type, is left out. Secret fields have the mark.
 *
 * @param text an image as the log has it: canonical JSON
 */
export function readImage(model: AnyModel, text: string): FieldValues {
  // The log holds the text of objects only; it wrote them itself.
  const image = JSON.parse(text) as Readonly<Record<string, unknown>>
  const nameIn = namesIn(model, image)
  const record: FieldValues = {}
  for (const field of model.fields) {
    const name = nameIn(field.name)
    if (field.hidden || name === undefined || !Object.hasOwn(image, name)) continue
    const wire = image[name]
    if (field.secret) record[field.name] = secretMark
    else if (wire === null) record[field.name] = null
    else {
      const value = field.fromJson(wire)
      const isTaken = (other: unknown): boolean => field.kind === 'json' || isComparable(field, other)
      const taken = isTaken(value) ? field.normalise(value) : readConverted(wire, field, isTaken)
      if (taken !== undefined) record[field.name] = taken
    }
  }
  return record
}

/** Under which name the image has a field of today: undefined where another field was called like it then. */
function namesIn(model: AnyModel, image: Readonly<Record<string, unknown>>): (field: string) => string | undefined {
  if (model.renamedFields.size === 0) return (field) => field
  const renames = standingRenames(model, (name) => Object.hasOwn(image, name))
  const oldNames = new Map([...renames].map(([old, name]) => [name, old]))
  return (field) => oldNames.get(field) ?? (renames.has(field) ? undefined : field)
}

/** The same with null for what the image does not have: a record as it is shown. */
export function completeImage(model: AnyModel, image: FieldValues): FieldValues {
  const record: FieldValues = {}
  for (const { name, hidden, secret } of model.fields) if (!hidden) record[name] = secret ? secretMark : (image[name] ?? null)
  return record
}
