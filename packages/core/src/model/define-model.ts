import { UsageError } from '../errors.ts'
import { checkDeclared, checkDistinct, checkFieldName, checkIndexes, checkRenames, checkTableName } from './check-names.ts'
import { DefinitionFault } from './definition-fault.ts'
import { deletedAtName, rowVersionName } from './kept-names.ts'
import { declaredField, keptField, keptReference } from './make-field.ts'
import type { Field, FieldRole, Model, ModelTypes, Stamps } from './model.ts'
import type { ModelOptions } from './model-options.ts'
import { type ReadOptions, readOptions, type StampChoice } from './read-options.ts'
import type { ColumnOf, FieldSchemas, TypesOf } from './row-types.ts'
import { makeRowVersion, rowVersionLength } from './row-version.ts'
import { readTransitions, withMoves } from './transitions.ts'
import { makeUuid } from './uuid.ts'
import { integerIdType, textIdType, uuidIdType } from './value-types/identifiers.ts'
import { textType } from './value-types/text.ts'
import { instantType } from './value-types/times.ts'

/** Options whose lists of columns are held against the model's own columns, so that a misspelt one does not compile. */
type OptionsFor<Fields extends FieldSchemas, Options> = ModelOptions<keyof Fields & string, ColumnOf<Fields, Options>>

/** A misspelt option does not compile either. */
type OnlyKnown<Options> = { readonly [Name in Exclude<keyof Options, keyof ModelOptions>]: never }

/**
 * Defines a model: from it come the TypeScript types, the table and its indexes, validation, the routes' schemas and
 * everything else that depends on the fields.
 *
 * @param name the table's name: a letter, then up to 59 letters, digits and underscores
 * @param fields a TypeBox type, or one of this library's, for each field. `Type.Optional` may be left out on insert and
 *   is null then; a union with `Type.Null()` takes null but must be given
 * @param options the id, soft deletion, stamps, unique and other indexes, and fields that are secret, readOnly or immutable
 * @throws UsageError `invalid_definition` with a sentence that names the model, the field and what to write instead
 * @example
 * ```ts
 * import { Type } from 'typebox'
 * import { Default, defineModel, type InsertOf, type RowOf } from '@strongroom/core'
 *
 * export const User = defineModel(
 *   'users',
 *   {
 *     name: Type.String({ minLength: 1, maxLength: 200 }),
 *     email: Type.String({ format: 'email' }),
 *     role: Default(Type.Enum(['operator', 'admin']), 'operator'),
 *     phone: Type.Optional(Type.String()),
 *     password_hash: Type.String(),
 *   },
 *   { softDelete: true, stamps: true, unique: [['email']], secret: ['password_hash'] },
 * )
 * type User = RowOf<typeof User>
 * type NewUser = InsertOf<typeof User>
 * ```
 */
export function defineModel<
  const Name extends string,
  Fields extends FieldSchemas,
  const Options extends ModelOptions<keyof Fields & string> = Record<never, never>,
>(name: Name, fields: Fields, options?: Options & OptionsFor<Fields, Options> & OnlyKnown<Options>): Model<TypesOf<Fields, Options>, Name> {
  return inModel(name, () => {
    checkTableName(name)
    return buildModel<TypesOf<Fields, Options>, Name>(name, fields, options)
  })
}

type Lists<Name> = readonly (readonly Name[])[]

/** Defines a table of the library's own, whose name begins with `strongroom_`. Indexes `wherePresent` leave out records without the first field. */
export function defineSystemModel<
  Fields extends FieldSchemas,
  const Options extends ModelOptions<keyof Fields & string> = Record<never, never>,
>(
  name: `strongroom_${string}`,
  fields: Fields,
  options?: Options & OptionsFor<Fields, Options> & OnlyKnown<Options>,
  whereUnitsOverlap: { readonly unique: Lists<keyof Fields | 'id'>; readonly indexes: Lists<keyof Fields | 'id'> } = {
    unique: [],
    indexes: [],
  },
  wherePresent: Lists<keyof Fields | 'id'> = [],
): Model<TypesOf<Fields, Options>> {
  const model = inModel(name, () => buildModel<TypesOf<Fields, Options>, string>(name, fields, options))
  const { unique, indexes } = whereUnitsOverlap
  const overlapIndexes = [
    ...unique.map((columns) => ({ fields: columns.map(String), unique: true })),
    ...indexes.map((columns) => ({ fields: columns.map(String) })),
  ]
  return Object.freeze({ ...model, overlapIndexes, presentIndexes: wherePresent.map((columns) => columns.map(String)) })
}

/** 1. validate the options, 2. interpret, 3. validate what was interpreted. */
function buildModel<Types extends ModelTypes, Name extends string>(name: Name, schemas: unknown, options: unknown): Model<Types, Name> {
  const given = readOptions(options)
  const interpreted = interpretFields(name, schemas, given)
  const transitions = readTransitions(given.transitions, new Map(interpreted.map((field) => [field.name, field])))
  const declared = interpreted.map((field) => withMoves(field, transitions))
  const id = idField(given.id)
  const stamps = given.stamps && stampFields(name, given.stamps)
  const deletedAt = given.softDelete ? keptField(deletedAtName, 'deletedAt', instantType({}), { nullable: true }) : undefined
  const rowVersion = keptField(rowVersionName, 'rowVersion', textType({ type: 'string', maxLength: rowVersionLength }), {
    hidden: true,
    makeDefault: makeRowVersion,
  })
  const stampList = stamps ? [stamps.createdAt, stamps.updatedAt, stamps.createdBy, stamps.updatedBy] : []
  const fields = [id, ...declared, ...stampList, ...(deletedAt ? [deletedAt] : []), rowVersion]
  const fieldsByName = new Map(fields.map((field) => [field.name, field]))
  checkDistinct(fields)
  checkIndexes('unique', given.unique, fieldsByName)
  checkIndexes('indexes', given.indexes, fieldsByName)
  const { unique, indexes, schemaVersion, renamedFrom, renamedFields } = given
  checkRenames(name, fieldsByName, { renamedFrom, renamedFields })
  return Object.freeze({
    name,
    id,
    idType: given.id.type,
    fields: Object.freeze(fields),
    fieldsByName,
    stamps,
    deletedAt,
    tenant: declared.find(({ name: field }) => field === given.tenant),
    rowVersion,
    unique,
    indexes,
    schemaVersion,
    transitions,
    renamedFrom,
    renamedFields,
  })
}

function interpretFields(table: string, schemas: unknown, options: ReadOptions): Field[] {
  if (typeof schemas !== 'object' || schemas === null || Array.isArray(schemas))
    throw new DefinitionFault('the fields must be an object with a TypeBox type for each name')
  if ('~kind' in schemas) throw new DefinitionFault('the fields must be an object with a TypeBox type for each name, not one TypeBox type')
  const names = Object.keys(schemas)
  checkDeclared('secret', options.secret, names)
  checkDeclared('readOnly', options.readOnly, names)
  checkDeclared('immutable', options.immutable, names)
  checkDeclared('transitions', Object.keys(options.transitions), names)
  checkDeclared('tenant', options.tenant === undefined ? [] : [options.tenant], names)
  return Object.entries(schemas).map(([name, schema]) =>
    inField(name, () => {
      checkFieldName(name)
      const isTenant = options.tenant === name
      const flags = {
        secret: options.secret.includes(name),
        readOnly: isTenant || options.readOnly.includes(name),
        immutable: isTenant || options.immutable.includes(name),
      }
      if (isTenant && flags.secret) throw new DefinitionFault('holds the tenant and cannot be secret')
      const field = declaredField(table, name, schema, flags)
      if (isTenant) checkTenant(field)
      return field
    }),
  )
}

/** Every record belongs to one tenant, which is compared as it is given. */
function checkTenant(field: Field): void {
  // The kind of a reference is the other model's, which may not stand yet: every id will do.
  if (!field.reference && field.kind !== 'text' && field.kind !== 'uuid' && field.kind !== 'integer')
    throw new DefinitionFault('holds the tenant, so it must be text, an Integer or a Ref')
  if (field.nullable || field.makeDefault)
    throw new DefinitionFault('holds the tenant, so it can be neither optional nor null, and has no Default')
}

function idField({ name, type, maxLength }: ReadOptions['id']): Field {
  return inField(name, () => {
    checkFieldName(name)
    if (type === 'integer') return keptField(name, 'id', integerIdType(), { immutable: true })
    if (type === 'uuid') return keptField(name, 'id', uuidIdType(), { immutable: true, makeDefault: makeUuid })
    return keptField(name, 'id', textIdType(maxLength), { immutable: true, optional: false })
  })
}

function stampFields(table: string, choices: NonNullable<ReadOptions['stamps']>): Stamps {
  const instant = (role: FieldRole, { name }: StampChoice): Field =>
    inField(name, () => {
      checkFieldName(name)
      return keptField(name, role, instantType({}), {})
    })
  const actor = (role: FieldRole, { name, field }: StampChoice): Field =>
    inField(name, () => {
      checkFieldName(name)
      if (field === undefined) return keptField(name, role, textType({ type: 'string' }), { nullable: true })
      return keptReference(table, name, role, field, { nullable: true })
    })
  return Object.freeze({
    createdAt: instant('createdAt', choices.createdAt),
    updatedAt: instant('updatedAt', choices.updatedAt),
    createdBy: actor('createdBy', choices.createdBy),
    updatedBy: actor('updatedBy', choices.updatedBy),
  })
}

/** Says in which field a fault is. */
function inField<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof DefinitionFault) throw new DefinitionFault(`field "${name}" ${error.message}`)
    throw error
  }
}

/** Says in which model a fault is, and makes it the error of the catalogue. */
function inModel<T>(name: unknown, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof DefinitionFault) throw new UsageError('invalid_definition', `Model "${String(name)}": ${error.message}.`)
    throw error
  }
}
