import type { ColumnDefinition } from '../../engine/engine.ts'
import type { AnyModel, Field } from '../../model/model.ts'
import type { FieldDefinition, IndexDefinition, TableDefinition } from './table-definition.ts'

/** The table that a model wants to live in. */
export function definitionOf(model: AnyModel): TableDefinition {
  return {
    id: { name: model.id.name, type: model.idType },
    fields: Object.fromEntries(model.fields.filter((field) => field !== model.id).map((field) => [field.name, fieldDefinition(field)])),
    indexes: [
      // A deleted e-mail address can be used again: unique keys cover live records only.
      ...model.unique.map((fields) => ({ fields, unique: true, ...(model.deletedAt && { liveOnly: true }) })),
      ...model.indexes.map((fields) => ({ fields })),
      ...(model.presentIndexes ?? []).map((fields) => ({ fields, presentOnly: true })),
      ...referenceIndexes(model),
    ],
  }
}

export function fieldDefinition({ kind, nullable, values, precision, scale, reference }: Field): FieldDefinition {
  const target = reference?.model()
  return {
    type: kind,
    ...(nullable && { nullable }),
    ...(values && { values }),
    ...(precision !== undefined && { precision }),
    ...(scale !== undefined && { scale }),
    ...(target && { references: { table: target.name, field: target.id.name } }),
  }
}

/** Every reference has an index: deletes look for the records that point to theirs. */
function referenceIndexes(model: AnyModel): IndexDefinition[] {
  const covered = new Set([...model.unique, ...model.indexes].map((columns) => columns[0]))
  return model.fields.filter((field) => field.reference && !covered.has(field.name)).map(({ name }) => ({ fields: [name] }))
}

/** A field as engines know it. */
export function columnOf(name: string, { type, nullable = false, values, precision, scale }: FieldDefinition): ColumnDefinition {
  return {
    name,
    kind: type,
    nullable,
    ...(values && { values }),
    ...(precision !== undefined && { precision }),
    ...(scale !== undefined && { scale }),
  }
}

/** The id's column. */
export function idColumn({ id }: Pick<TableDefinition, 'id'>): ColumnDefinition {
  return { name: id.name, kind: id.type, nullable: false }
}
