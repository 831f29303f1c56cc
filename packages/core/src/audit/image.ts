import type { AnyModel, Field } from '../model/model.ts'
import { secretMark } from '../model/record-json.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { canonicalJson } from './canonical.ts'

/** Writes the image of a record as it stands in the log: canonical JSON of the wire form, secrets masked. */
export type ImageWriter = (record: FieldValues) => string

/** The text before a record's id, and that behind it: the database puts the id in between. */
export type ImageAroundId = readonly [before: string, behind: string]

/** Makes the image writer of a model; the members are sorted once, not for each record. */
export function imageWriter(model: AnyModel): ImageWriter {
  const members = membersOf(model)
  return (record) => `${textOf(members, record)}}`
}

/** The same for records that have no id yet. */
export function imageAroundId(model: AnyModel): (record: FieldValues) => ImageAroundId {
  const members = membersOf(model)
  const place = members.findIndex(({ field }) => field === model.id)
  const [before, behind] = [members.slice(0, place), members.slice(place + 1)]
  const prefix = members[place]?.prefix ?? ''
  return (record) => [`${textOf(before, record)}${prefix}`, `${textOf(behind, record)}}`]
}

/** A field of an image, and what stands before its value. */
export interface ImageMember {
  readonly field: Field
  readonly prefix: string
}

/** The fields of an image in their order. */
export function membersOf(model: AnyModel): readonly ImageMember[] {
  return model.fields
    .filter((field) => !field.hidden)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((field, index) => ({ field, prefix: `${index === 0 ? '{' : ','}${JSON.stringify(field.name)}:` }))
}

/** What stands in the place of a secret. */
export const mark = JSON.stringify(secretMark)

function textOf(members: readonly ImageMember[], record: FieldValues): string {
  let text = ''
  for (const { field, prefix } of members) {
    const value = record[field.name]
    text += prefix
    text += field.secret ? mark : valueText(field, value)
  }
  return text
}

/** A value as it stands in an image. */
export function valueText(field: Field, value: unknown): string {
  return value === null || value === undefined ? 'null' : canonicalJson(field.toJson(value))
}
