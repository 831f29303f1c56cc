import { MigrationError } from '../../errors.ts'
import type { FieldDefinition, IndexDefinition, ReferenceDefinition, TableDefinition } from '../definition/table-definition.ts'
import type { AddedField, ChangedField, DroppedField, TableChanges } from './table-changes.ts'

/** The members of a shape, held to its type. */
type Members<T> = Readonly<Record<keyof T, true>>

const reference: Members<ReferenceDefinition> = { table: true, field: true }
const field: Members<FieldDefinition> = { type: true, nullable: true, values: true, precision: true, scale: true, references: true }
const added: Members<AddedField> = { ...field, fill: true }
const dropped: Members<DroppedField> = { ...field, discard: true }
const changed: Members<ChangedField> = { from: true, to: true, fill: true, convert: true }
const index: Members<IndexDefinition> = { fields: true, unique: true, liveOnly: true, presentOnly: true }
const changes: Members<TableChanges> = {
  renameFields: true,
  addFields: true,
  changeFields: true,
  dropFields: true,
  dropIndexes: true,
  addIndexes: true,
}
const table: Members<TableDefinition> = { id: true, fields: true, indexes: true }
const id: Members<TableDefinition['id']> = { name: true, type: true }

/** Refuses what a migration in JavaScript may say and no type has held back: a misspelt `nulable` would be ignored. */
export function checkChanges(name: string, given: TableChanges): void {
  check(given, changes, `The changes of ${name}`)
  for (const [key, value] of entries(given.addFields)) checkField(value, added, `addFields.${key} of ${name}`)
  for (const [key, value] of entries(given.dropFields)) checkField(value, dropped, `dropFields.${key} of ${name}`)
  for (const [key, value] of entries(given.changeFields)) {
    check(value, changed, `changeFields.${key} of ${name}`)
    for (const side of ['from', 'to'] as const) checkField(value[side], field, `changeFields.${key}.${side} of ${name}`)
  }
  for (const list of ['dropIndexes', 'addIndexes'] as const)
    for (const one of given[list] ?? []) check(one, index, `An index in ${list} of ${name}`)
}

export function checkDefinition(name: string, given: TableDefinition): void {
  check(given, table, `The definition of ${name}`)
  check(given.id, id, `The id of ${name}`)
  for (const [key, value] of entries(given.fields)) checkField(value, field, `fields.${key} of ${name}`)
  for (const one of given.indexes ?? []) check(one, index, `An index of ${name}`)
}

function checkField(value: FieldDefinition, members: Members<FieldDefinition>, place: string): void {
  check(value, members, place)
  if (value.references) check(value.references, reference, `references in ${place}`)
}

function check(value: unknown, members: Readonly<Record<string, true>>, place: string): void {
  if (typeof value !== 'object' || value === null) throw refused(`${place} is no object.`)
  const stranger = Object.keys(value).find((key) => !Object.hasOwn(members, key))
  if (stranger === undefined) return
  throw refused(`${place} has "${stranger}", which means nothing. There are ${Object.keys(members).join(', ')}.`)
}

const entries = <T>(of: Readonly<Record<string, T>> | undefined): [string, T][] => Object.entries(of ?? {})

function refused(sentence: string): MigrationError {
  return new MigrationError('migration_refused', `${sentence} Nothing was changed.`)
}
