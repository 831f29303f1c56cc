import { Type } from 'typebox'
import type { FieldKind } from '../model.ts'
import { bytesType } from './bytes.ts'
import { booleanType, choiceType } from './choices.ts'
import { decimalType } from './decimal.ts'
import { uuidIdType } from './identifiers.ts'
import { jsonType } from './json.ts'
import { int64Type, integerType, numberType } from './numbers.ts'
import { textType } from './text.ts'
import { instantType, plainDateType } from './times.ts'
import type { ValueType } from './value-type.ts'

/** Digits of a decimal when nobody states them. */
const widest = { precision: 18, scale: 0 }

const makers: Readonly<Record<Exclude<FieldKind, 'decimal'>, () => ValueType>> = {
  text: () => textType(Type.String()),
  uuid: uuidIdType,
  integer: () => integerType(Type.Integer()),
  int64: () => int64Type({}),
  number: () => numberType(Type.Number()),
  boolean: () => booleanType(Type.Boolean()),
  datetime: () => instantType({}),
  date: () => plainDateType({}),
  json: () => jsonType(undefined),
  bytes: () => bytesType({}),
}

/** What is known of a field's values by how they are stored. */
export interface StoredValues {
  readonly type: FieldKind
  readonly values?: readonly (string | number)[]
  readonly precision?: number
  readonly scale?: number
}

/** The values of a field of which no more is known than how it is stored. */
export function valueTypeOf(about: StoredValues): ValueType {
  const { type, values, precision = widest.precision, scale = widest.scale } = about
  if (values) return choiceType(type === 'text' ? Type.String() : Type.Integer(), values)
  return type === 'decimal' ? decimalType({ precision, scale }) : makers[type]()
}
