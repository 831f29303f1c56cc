import type { TSchema } from 'typebox'
import { DefinitionFault } from '../definition-fault.ts'
import { withoutNegativeZero } from './numbers.ts'
import { remainingCheck } from './schema-check.ts'
import { textProblem } from './text.ts'
import { notesOf, same, type ValueType } from './value-type.ts'

/** A `Type.Boolean`. */
export function booleanType(schema: TSchema): ValueType {
  const remaining = remainingCheck(schema, ['type'])
  return {
    kind: 'boolean',
    schema: { ...notesOf(schema), type: 'boolean' } as TSchema,
    check: (value) => (typeof value === 'boolean' ? remaining?.(value) : 'must be true or false'),
    normalise: same,
    toJson: same,
    fromJson: same,
  }
}

/** An enum, or a union of literals: values of one type. Throws a sentence, as DefinitionFault, for others. */
export function choiceType(schema: TSchema, literals: readonly unknown[]): ValueType {
  const values = [...new Set(literals)]
  const allowed = new Set<unknown>(values)
  const remaining = remainingCheck(schema, ['type', 'enum', 'const', 'anyOf'])
  const refusal = `must be one of ${values.map((value) => JSON.stringify(value)).join(', ')}`
  const check = (value: unknown) => (allowed.has(value) ? remaining?.(value) : refusal)
  if (values.length > 0 && values.every(isStorableText)) {
    const schemaOfTexts = { ...notesOf(schema), type: 'string', enum: values } as TSchema
    return { kind: 'text', schema: schemaOfTexts, values, check, normalise: same, toJson: same, fromJson: same }
  }
  if (values.length > 0 && values.every(isWholeNumber)) {
    const schemaOfNumbers = { ...notesOf(schema), type: 'integer', enum: values } as TSchema
    return { kind: 'integer', schema: schemaOfNumbers, values, check, normalise: withoutNegativeZero, toJson: same, fromJson: same }
  }
  if (values.length > 0 && values.every((value) => typeof value === 'boolean'))
    throw new DefinitionFault('lists booleans; use Type.Boolean()')
  throw new DefinitionFault(
    'must list at least one value, and either only texts (without NUL or half surrogate pairs) or only whole numbers',
  )
}

function isStorableText(value: unknown): value is string {
  return typeof value === 'string' && textProblem(value) === undefined
}

function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
