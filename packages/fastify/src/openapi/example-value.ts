import type { AnyModel, Field } from '@strongroom/core'
import { sampleOf, textSamples } from './example-sample.ts'

/** A value of a field as it travels, and one that the field takes; undefined where none was found. */
export function exampleOf(field: Field): unknown {
  return candidates(field).find((candidate) => candidate !== undefined && field.check(field.fromJson(candidate)) === undefined)
}

function candidates(field: Field): readonly unknown[] {
  const { schema, constantDefault } = field
  const noted: unknown = Reflect.get(schema, 'examples')
  const usual = constantDefault === undefined || constantDefault === null || field.secret ? [] : [field.toJson(constantDefault)]
  return [...(Array.isArray(noted) ? noted : []), ...usual, ...(field.values ?? []), ...samples(field)]
}

function samples(field: Field): readonly unknown[] {
  const { kind, schema, scale = 0, maxLength = 3 } = field
  switch (kind) {
    case 'uuid':
      return ['0191d1a0-7c3e-7e3b-9b1a-2f0c5d6e7f80']
    case 'int64':
      return ['9007199254740993']
    case 'decimal':
      return [scale === 0 ? '12' : `12.${'50'.padEnd(scale, '0').slice(0, scale)}`, scale === 0 ? '1' : `0.${'5'.padEnd(scale, '0')}`]
    case 'datetime':
      return ['2026-01-31T12:00:00.000Z']
    case 'date':
      return ['2026-01-31']
    case 'bytes':
      return [Buffer.from('abc').subarray(0, Math.min(3, maxLength)).toString('base64')]
    case 'boolean':
      return [true, false]
    case 'text':
      return textSamples(schema, field.role === 'createdBy' || field.role === 'updatedBy' ? 'alice' : titled(field.name))
    case 'json':
      return [sampleOf(schema, titled(field.name)), { key: 'value' }, ['value'], 'value', 1, true]
    default:
      return [field.role === 'id' || field.reference ? 7 : undefined, sampleOf(schema, '')]
  }
}

/** `full_name` as `Full name`. */
function titled(name: string): string {
  const words = name.replaceAll('_', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}

/** A record with an example for each of these fields; those without one are null or left out, and undefined where they must be there. */
export function exampleRecord(model: AnyModel, names: readonly string[], required: readonly string[]): Record<string, unknown> | undefined {
  const record: Record<string, unknown> = {}
  for (const name of names) {
    const field = model.fieldsByName.get(name)
    if (!field) continue
    const value = field.role === 'deletedAt' ? null : exampleOf(field)
    if (value !== undefined) record[name] = value
    else if (field.nullable) record[name] = null
    else if (required.includes(name)) return undefined
  }
  return record
}
