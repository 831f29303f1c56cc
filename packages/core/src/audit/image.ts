import type { AnyModel } from '../model/model.ts'
import { secretMark } from '../model/record-json.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { canonicalJson } from './canonical.ts'

/** Writes the image of a record as it stands in the log: canonical JSON of the wire form, secrets masked. */
export type ImageWriter = (record: FieldValues) => string

/** Makes the image writer of a model; the members are sorted once, not for each record. */
export function imageWriter(model: AnyModel): ImageWriter {
  const members = model.fields
    .filter((field) => !field.hidden)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((field, index) => ({ field, prefix: `${index === 0 ? '{' : ','}${JSON.stringify(field.name)}:` }))
  const mark = JSON.stringify(secretMark)
  return (record) => {
    let text = ''
    for (const { field, prefix } of members) {
      const value = record[field.name]
      text += prefix
      if (field.secret) text += mark
      else text += value === null || value === undefined ? 'null' : canonicalJson(field.toJson(value))
    }
    return `${text}}`
  }
}
