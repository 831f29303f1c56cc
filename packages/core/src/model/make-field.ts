import { UsageError } from '../errors.ts'
import { DefinitionFault } from './definition-fault.ts'
import type { DefaultSource, ReferenceTarget } from './field-types.ts'
import { type Interpretation, interpretSchema } from './interpret-schema.ts'
import type { Field, FieldRole, Model } from './model.ts'
import type { ValueType } from './value-types/value-type.ts'

/** What a model says about a field beside its type. */
export type FieldFrame = Pick<Field, 'name' | 'role' | 'nullable' | 'optional' | 'secret' | 'readOnly' | 'immutable' | 'hidden'>

/** Makes a field that the user declared. */
export function declaredField(
  table: string,
  name: string,
  schema: unknown,
  flags: Pick<Field, 'secret' | 'readOnly' | 'immutable'>,
): Field {
  const meaning = interpretSchema(schema)
  const frame: FieldFrame = { name, role: 'data', nullable: meaning.nullable, optional: meaning.optional, hidden: false, ...flags }
  if ('kind' in meaning.valueType)
    return withDefault(Object.freeze({ ...frame, ...(flags.secret ? quiet(meaning.valueType) : meaning.valueType) }), meaning.default)
  checkSetNull(meaning.valueType, meaning.nullable)
  // The default of a reference is checked when it is inserted: the other model may not stand yet.
  return referenceField(table, frame, meaning.valueType, meaning.default && { makeDefault: makerOf(meaning.default) })
}

/** The message about JSON names the place of the fault by its keys, which belong to the secret. */
function quiet(type: ValueType): ValueType {
  if (type.kind !== 'json') return type
  return { ...type, check: (value) => (type.check(value) === undefined ? undefined : 'must be JSON data that the field takes') }
}

/** Makes a field that the library keeps. */
export function keptField(
  name: string,
  role: FieldRole,
  type: ValueType,
  about: Partial<FieldFrame> & { readonly makeDefault?: () => unknown },
): Field {
  return Object.freeze({
    name,
    role,
    nullable: false,
    optional: true,
    secret: false,
    readOnly: false,
    immutable: false,
    hidden: false,
    ...about,
    ...type,
  })
}

/** Makes a stamp that points to a record instead of naming the actor. */
export function keptReference(table: string, name: string, role: FieldRole, schema: unknown, about: Partial<FieldFrame>): Field {
  const meaning: Interpretation = interpretSchema(schema)
  if ('kind' in meaning.valueType) throw new DefinitionFault('has a field that is no Ref')
  if (meaning.default) throw new DefinitionFault('cannot have a Default: it is filled from the principal')
  const frame = { name, role, nullable: true, optional: true, secret: false, readOnly: false, immutable: false, hidden: false, ...about }
  return referenceField(table, frame, meaning.valueType, undefined)
}

function checkSetNull(target: ReferenceTarget, nullable: boolean): void {
  if (target.onDelete === 'setNull' && !nullable)
    throw new DefinitionFault("has onDelete 'setNull' and must take null: put Type.Optional around it")
}

function withDefault(field: Field, source: DefaultSource | undefined): Field {
  if (!source) return field
  if ('value' in source) {
    const problem = source.value === null ? (field.nullable ? undefined : 'must not be null') : field.check(source.value)
    if (problem !== undefined) throw new DefinitionFault(`has a default that the field does not take: it ${problem}`)
  }
  return Object.freeze({
    ...field,
    makeDefault: makerOf(source, field),
    ...('value' in source && { constantDefault: field.normalise(source.value) }),
  })
}

/** Copies a constant for each record, so that none can change the next one's. */
function makerOf(source: DefaultSource, field?: Field): () => unknown {
  if ('make' in source) return source.make
  return () => (field ? field.normalise(source.value) : source.value)
}

/** Everything about the values is asked of the other model's id, and not before somebody needs it. */
function referenceField(
  table: string,
  frame: FieldFrame,
  target: ReferenceTarget,
  source: { readonly makeDefault: () => unknown } | undefined,
): Field {
  const place = `Model "${table}": field "${frame.name}"`
  let known: Field | undefined
  const key = (): Field => {
    known ??= targetOf(place, target).id
    return known
  }
  return Object.freeze({
    ...frame,
    ...source,
    reference: Object.freeze({ model: () => targetOf(place, target), onDelete: target.onDelete }),
    get kind() {
      return key().kind
    },
    get schema() {
      return key().schema
    },
    get maxLength() {
      return key().maxLength
    },
    check: (value: unknown) => key().check(value),
    normalise: (value: unknown) => key().normalise(value),
    toJson: (value: unknown) => key().toJson(value),
    fromJson: (value: unknown) => key().fromJson(value),
  })
}

function targetOf(place: string, target: ReferenceTarget): Model {
  let model: unknown
  try {
    model = target.model()
  } catch (cause) {
    throw new UsageError(
      'invalid_definition',
      `${place} refers to a model that is not defined yet. Use the model after all modules are loaded.`,
      { cause },
    )
  }
  if (typeof model === 'object' && model !== null && 'fieldsByName' in model && 'id' in model) return model as Model
  throw new UsageError(
    'invalid_definition',
    `${place} refers to something that is no model. Give Ref a function that answers what defineModel made.`,
  )
}
