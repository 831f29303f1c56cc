import type { AnyModel, Field, OnDelete } from '../../model/model.ts'
import { typeWords } from './type-words.ts'

/** A model with the name that its accessor has. */
export interface PicturedModel {
  readonly model: AnyModel
  /** The component; the library's own tables have none. */
  readonly component?: string
}

/** One line of a table. */
export interface PictureField {
  readonly name: string
  readonly type: string
  readonly keys: readonly ('primary' | 'reference' | 'unique')[]
  readonly nullable: boolean
  readonly secret: boolean
  /** Kept by the library: a stamp, or the mark of a deleted record. */
  readonly kept: boolean
  /** What the model says about it, in the author's words. */
  readonly description: string | undefined
}

export interface PictureTable {
  readonly name: string
  readonly component: string | undefined
  /** Belongs to the library. */
  readonly system: boolean
  readonly fields: readonly PictureField[]
  /** Keys of more than one field. */
  readonly uniqueTogether: readonly (readonly string[])[]
}

/** A line between two tables: `field` of `table` points to `targetField` of `target`. */
export interface PictureReference {
  readonly table: string
  readonly field: string
  readonly target: string
  readonly targetField: string
  /** How many records a record of `table` points to. */
  readonly targets: 'one' | 'zeroOrOne'
  /** How many records of `table` can point to one of `target`. */
  readonly sources: 'zeroOrOne' | 'many'
  readonly onDelete: OnDelete
  /** A stamp that points to whoever made or changed the record. */
  readonly kept: boolean
}

/** What a diagram shows. */
export interface Picture {
  readonly tables: readonly PictureTable[]
  readonly references: readonly PictureReference[]
}

/** What there is to see of these models. */
export function pictureOf(models: readonly PicturedModel[]): Picture {
  return { tables: models.map(tableOf), references: models.flatMap(({ model }) => referencesOf(model)) }
}

function tableOf({ model, component }: PicturedModel): PictureTable {
  return {
    name: model.name,
    component,
    system: component === undefined,
    fields: visible(model).map((field) => fieldOf(model, field)),
    uniqueTogether: model.unique.filter((columns) => columns.length > 1),
  }
}

function visible(model: AnyModel): Field[] {
  return model.fields.filter((field) => !field.hidden)
}

function fieldOf(model: AnyModel, field: Field): PictureField {
  const keys: PictureField['keys'][number][] = []
  if (field === model.id) keys.push('primary')
  if (field.reference) keys.push('reference')
  if (isUnique(model, field)) keys.push('unique')
  // The schema of a reference is its target's, and so is what is said there.
  const description: unknown = field.reference ? undefined : Reflect.get(field.schema, 'description')
  return {
    name: field.name,
    type: typeWords(field),
    keys,
    nullable: field.nullable,
    secret: field.secret,
    kept: isKept(field),
    description: typeof description === 'string' ? description : undefined,
  }
}

function isUnique(model: AnyModel, field: Field): boolean {
  return model.unique.some((columns) => columns.length === 1 && columns[0] === field.name)
}

function isKept(field: Field): boolean {
  return field.role !== 'id' && field.role !== 'data'
}

function referencesOf(model: AnyModel): PictureReference[] {
  return visible(model).flatMap((field) => {
    if (!field.reference) return []
    const target = field.reference.model()
    return [
      {
        table: model.name,
        field: field.name,
        target: target.name,
        targetField: target.id.name,
        targets: field.nullable ? ('zeroOrOne' as const) : ('one' as const),
        sources: isUnique(model, field) ? ('zeroOrOne' as const) : ('many' as const),
        onDelete: field.reference.onDelete,
        kept: isKept(field),
      },
    ]
  })
}
