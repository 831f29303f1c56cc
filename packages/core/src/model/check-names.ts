import { DefinitionFault } from './definition-fault.ts'
import type { Field } from './model.ts'
import { suggestion } from './nearest-name.ts'

/** With its longest suffix such a name still fits into the 63 bytes that PostgreSQL keeps of one. */
const namePattern = /^[a-z][a-z0-9_]{0,59}$/i
const nameRule = 'must begin with a letter and hold up to 60 letters, digits and underscores'

/** Words that a `where` gives another meaning, and columns that PostgreSQL has in every table. */
const reservedFieldNames = new Set(['and', 'or', 'not', 'ctid', 'cmin', 'cmax', 'xmin', 'xmax', 'tableoid'])

/** Throws a DefinitionFault for a name that no table of a user may have. */
export function checkTableName(name: unknown): void {
  if (typeof name !== 'string' || !namePattern.test(name)) throw new DefinitionFault(`the name ${nameRule}`)
  if (isPrototypeName(name)) throw new DefinitionFault('the name is reserved by JavaScript')
  if (/^(strongroom|sqlite)_/i.test(name)) throw new DefinitionFault('names that begin with strongroom_ or sqlite_ are reserved')
}

/** Throws a DefinitionFault for a name that no declared field may have. */
export function checkFieldName(name: string): void {
  if (isPrototypeName(name)) throw new DefinitionFault('has a name that is reserved by JavaScript')
  if (!namePattern.test(name)) throw new DefinitionFault(`has a name that is not allowed: it ${nameRule}`)
  if (reservedFieldNames.has(name.toLowerCase()))
    throw new DefinitionFault('has a name that is reserved: by the query language, or by PostgreSQL')
}

/** Members that every object has seem to be there when they are not. */
function isPrototypeName(name: string): boolean {
  return name === 'prototype' || name in Object.prototype
}

/** Throws a DefinitionFault when two fields have names that SQLite takes for the same. */
export function checkDistinct(fields: readonly Field[]): void {
  const seen = new Map<string, Field>()
  for (const field of fields) {
    const other = seen.get(field.name.toLowerCase())
    if (!other) {
      seen.set(field.name.toLowerCase(), field)
      continue
    }
    const declared = field.role === 'data' ? field : other
    const kept = declared === field ? other : field
    if (kept.role === 'data')
      throw new DefinitionFault(`the fields "${other.name}" and "${field.name}" differ in upper and lower case only`)
    const roles =
      declared.role === 'data'
        ? `the field "${declared.name}" has the name of`
        : `"${declared.name}" is the name of two fields of the library:`
    throw new DefinitionFault(`${roles} ${keptNames[kept.role]}. Rename one of them`)
  }
}

const keptNames: Readonly<Record<Field['role'], string>> = {
  id: "the model's id",
  data: 'another field',
  createdAt: "the model's stamp createdAt",
  updatedAt: "the model's stamp updatedAt",
  createdBy: "the model's stamp createdBy",
  updatedBy: "the model's stamp updatedBy",
  deletedAt: "the model's deleted_at",
  rowVersion: "the library's hidden row_version",
}

/** Throws a DefinitionFault when an option names a field that the model does not declare. */
export function checkDeclared(option: string, names: readonly string[], declared: readonly string[]): void {
  for (const name of names) if (!declared.includes(name)) throw unknownField(option, name, declared)
}

/** Throws a DefinitionFault for lists of columns that make no index. */
export function checkIndexes(option: string, lists: readonly (readonly string[])[], fields: ReadonlyMap<string, Field>): void {
  const columns = [...fields.values()].filter((field) => !field.hidden).map((field) => field.name)
  const seen = new Set<string>()
  for (const names of lists) {
    if (names.length === 0) throw new DefinitionFault(`option ${option} has an empty list`)
    for (const name of names) checkColumn(option, fields.get(name) ?? name, columns)
    if (new Set(names).size < names.length) throw new DefinitionFault(`option ${option} names a field twice in [${names.join(', ')}]`)
    if (seen.has(names.join())) throw new DefinitionFault(`option ${option} has [${names.join(', ')}] twice`)
    seen.add(names.join())
  }
}

function checkColumn(option: string, field: Field | string, columns: readonly string[]): void {
  if (typeof field === 'string' || field.hidden) throw unknownField(option, typeof field === 'string' ? field : field.name, columns)
  if (!field.reference && field.kind === 'json')
    throw new DefinitionFault(`option ${option} names "${field.name}", which holds JSON and has no order`)
}

/** Throws a DefinitionFault for old names that were none, or that two fields claim. */
export function checkRenames(
  table: string,
  fields: ReadonlyMap<string, Field>,
  {
    renamedFrom,
    renamedFields,
  }: { readonly renamedFrom: readonly string[]; readonly renamedFields: ReadonlyMap<string, readonly string[]> },
): void {
  for (const old of renamedFrom) {
    if (!namePattern.test(old)) throw new DefinitionFault(`option renamedFrom names "${old}", which no table can have been called`)
    if (old === table) throw new DefinitionFault('option renamedFrom names the model itself')
  }
  const claimed = new Map<string, string>()
  for (const [name, olds] of renamedFields) {
    const columns = [...fields.values()].filter((field) => !field.hidden).map((field) => field.name)
    if (!columns.includes(name)) throw unknownField('renamedFields', name, columns)
    for (const old of olds) {
      if (!namePattern.test(old)) throw new DefinitionFault(`option renamedFields names "${old}", which no field can have been called`)
      if (old === name) throw new DefinitionFault(`option renamedFields says that "${name}" was called like that before`)
      const other = claimed.get(old)
      if (other !== undefined)
        throw new DefinitionFault(`option renamedFields says of "${other}" and of "${name}" that they were called "${old}"`)
      claimed.set(old, name)
    }
  }
}

function unknownField(option: string, name: string, known: readonly string[]): DefinitionFault {
  return new DefinitionFault(
    `option ${option} names the unknown field "${name}".${suggestion(name, known)} The fields are ${known.join(', ')}`,
  )
}
