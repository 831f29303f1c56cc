import type { TSchema } from 'typebox'
import { DefinitionFault } from './definition-fault.ts'
import type { DefaultSource, ReferenceTarget } from './field-types.ts'
import { booleanType, choiceType } from './value-types/choices.ts'
import { integerType, numberType } from './value-types/numbers.ts'
import { textType } from './value-types/text.ts'
import type { ValueType } from './value-types/value-type.ts'

/** What a field's schema says. */
export interface Interpretation {
  readonly valueType: ValueType | ReferenceTarget
  readonly nullable: boolean
  readonly optional: boolean
  readonly default: DefaultSource | undefined
}

/** The parts of a schema that are looked at; TypeBox's types do not tell them before they are known. */
interface SchemaParts {
  readonly type?: unknown
  readonly const?: unknown
  readonly enum?: unknown
  readonly anyOf?: unknown
  readonly '~optional'?: unknown
  readonly '~readonly'?: unknown
  readonly '~codec'?: unknown
  readonly '~default'?: DefaultSource
  readonly '~valueType'?: ValueType
  readonly '~reference'?: ReferenceTarget
  readonly '~fault'?: DefinitionFault
}

/** Reads a field's schema. Throws a DefinitionFault for one that no column can hold. */
export function interpretSchema(schema: unknown): Interpretation {
  const parts = partsOf(schema)
  if (parts['~readonly'] === true) throw new DefinitionFault('is Type.Readonly; list it in the option readOnly or immutable instead')
  const optional = parts['~optional'] === true
  const source = parts['~default']
  const members = Array.isArray(parts.anyOf) ? parts.anyOf.map(partsOf) : undefined
  const present = members?.filter((member) => member.type !== 'null')
  const hasNull = members !== undefined && present !== undefined && present.length < members.length
  const [only] = present ?? []
  const valueType = hasNull && present?.length === 1 && only !== undefined ? memberType(only, parts) : typeOf(parts, present)
  return { valueType, nullable: optional || hasNull, optional: optional || source !== undefined, default: source }
}

function partsOf(schema: unknown): SchemaParts {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw new DefinitionFault('is no TypeBox type')
  return schema
}

/** The one member of a union beside null. */
function memberType(member: SchemaParts, union: SchemaParts): ValueType | ReferenceTarget {
  if ('~refine' in union) throw new DefinitionFault('refines a union with null; put Type.Refine around the member')
  return typeOf(member, Array.isArray(member.anyOf) ? member.anyOf.map(partsOf) : undefined, true)
}

function typeOf(parts: SchemaParts, members: readonly SchemaParts[] | undefined, inside = false): ValueType | ReferenceTarget {
  if (parts['~fault']) throw parts['~fault']
  if ('default' in parts)
    throw new DefinitionFault('has a bare default, which TypeBox does not keep in the types; write Default(type, value)')
  if (inside && ('~default' in parts || '~optional' in parts))
    throw new DefinitionFault('has Default or Optional inside a union; put it around the union')
  if ('~codec' in parts) throw new DefinitionFault('is a TypeBox codec, whose stored form is not known')
  if (parts['~reference']) return checkedTarget(parts['~reference'])
  if (parts['~valueType']) {
    if ('~refine' in parts)
      throw new DefinitionFault("refines one of this library's types; check it in a beforeInsert and beforeUpdate hook")
    return parts['~valueType']
  }
  return plainType(parts, members)
}

function plainType(parts: SchemaParts, members: readonly SchemaParts[] | undefined): ValueType {
  const schema: TSchema = parts
  if ('const' in parts) return choiceType(schema, [parts.const])
  if (Array.isArray(parts.enum)) return choiceType(schema, parts.enum)
  if (members) return choiceType(schema, members.flatMap(literalsOf))
  switch (parts.type) {
    case 'string':
      return textType(schema)
    case 'integer':
      return integerType(schema)
    case 'number':
      return numberType(schema)
    case 'boolean':
      return booleanType(schema)
    case 'bigint':
      throw new DefinitionFault('is Type.BigInt; use Int64()')
    case 'array':
    case 'object':
      throw new DefinitionFault('is an array or object; use Json(schema)')
    default:
      throw new DefinitionFault('has a type that no column can hold; use Json(schema) for data of any shape')
  }
}

function literalsOf(member: SchemaParts): readonly unknown[] {
  if ('default' in member || '~default' in member || '~optional' in member)
    throw new DefinitionFault('has a default or Optional inside a union; put it around the union')
  if ('const' in member) return [member.const]
  if (Array.isArray(member.enum)) return member.enum
  throw new DefinitionFault('is a union of more than literals and null; use Json(schema)')
}

function checkedTarget(target: ReferenceTarget): ReferenceTarget {
  if (typeof target.model !== 'function') throw new DefinitionFault('takes a function that answers the other model: Ref(() => Country)')
  if (!['restrict', 'cascade', 'setNull'].includes(target.onDelete))
    throw new DefinitionFault("has an onDelete other than 'restrict', 'cascade' and 'setNull'")
  return target
}
