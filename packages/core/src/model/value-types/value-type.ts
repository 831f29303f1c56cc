import type { TSchema } from 'typebox'
import type { Field } from '../model.ts'

/** What the values of a field are, apart from the model that the field is in. */
export type ValueType = Pick<
  Field,
  'kind' | 'schema' | 'values' | 'precision' | 'scale' | 'maxLength' | 'check' | 'normalise' | 'toJson' | 'fromJson'
>

/** Both ways of a value that is the same in code, in the database's parameters and in JSON. */
export const same = (value: unknown): unknown => value

/** What every field type says for documentation; it goes into the OpenAPI document as it is. */
export interface FieldNotes {
  readonly title?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
}

/** Picks the notes out of a schema or of options. */
export function notesOf(options: object): TSchema {
  const notes: Record<string, unknown> = {}
  for (const name of ['title', 'description', 'examples', 'deprecated']) {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined) notes[name] = value
  }
  return notes
}
