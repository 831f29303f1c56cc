import { Bytes, Decimal, Default, defineModel, Json, Ref, recordFromJson } from '@strongroom/core'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { samplePattern } from '../src/openapi/example-pattern.ts'
import { exampleOf, exampleRecord } from '../src/openapi/example-value.ts'

const Owner = defineModel('owners', { name: Type.String() }, { id: 'uuid' })

const Thing = defineModel('things', {
  long_name: Type.String({ minLength: 30, maxLength: 31 }),
  short: Type.String({ maxLength: 2 }),
  email: Type.String({ format: 'email' }),
  site: Type.String({ format: 'uri' }),
  at: Type.String({ format: 'time' }),
  serial: Type.String({ pattern: '^[A-Z]{3}-\\d+(?:/[^a-c]+)?$' }),
  choice: Type.Enum(['left', 'right']),
  given: Default(Type.String(), 'as usual'),
  noted: Type.Integer({ minimum: 5, examples: [6] }),
  tight: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 0.5 }),
  even: Type.Integer({ minimum: 101, multipleOf: 2 }),
  below: Type.Integer({ maximum: -7 }),
  price: Decimal({ precision: 2, scale: 2 }),
  photo: Bytes({ maxLength: 1 }),
  data: Json(Type.Object({ tags: Type.Array(Type.String(), { minItems: 2 }), size: Type.Integer({ minimum: 3 }) })),
  owner: Ref(() => Owner),
})

test('the example of a field is a value that the field takes', () => {
  for (const field of Thing.fields.filter(({ role }) => role === 'data')) {
    const value = exampleOf(field)
    expect(value, field.name).toBeDefined()
    expect(field.check(field.fromJson(value)), `${field.name}: ${JSON.stringify(value)}`).toBeUndefined()
  }
  const names = Thing.fields.filter(({ role }) => role === 'data').map(({ name }) => name)
  const record = exampleRecord(Thing, names, names)
  expect(recordFromJson(Thing, record, 'insert').issues).toEqual([])
})

test('what the model says is the example comes first, then its default', () => {
  const example = (name: string) => {
    const field = Thing.fieldsByName.get(name)
    return field && exampleOf(field)
  }
  expect(example('noted')).toBe(6)
  expect(example('given')).toBe('as usual')
})

test('a field without an example is left out, and a record that needs it has none', () => {
  const Odd = defineModel('odd', { word: Type.Refine(Type.String(), () => false), name: Type.String() })
  expect(exampleRecord(Odd, ['word', 'name'], ['name'])).toEqual({ name: 'Name' })
  expect(exampleRecord(Odd, ['word', 'name'], ['word', 'name'])).toBeUndefined()
})

test.each([
  '^a|b$',
  '^\\p{L}+\\s\\u0041$',
  '^(?<year>\\d{4})-(?:0[1-9]|1[0-2])$',
  '^[^\\W_]{2,}$',
  '[\\]x]?',
  '^[\\d-]{3}\\.\\w*?$',
  'x{0}y',
])('a text is found for the pattern %s', (pattern) => {
  expect(samplePattern(pattern, 1)).toMatch(new RegExp(pattern, 'u'))
})

test.each(['^(?=b)a', '^(a)\\1b$', 'a(', '^(?!a)a$'])('for the pattern %s none is made up', (pattern) => {
  expect(samplePattern(pattern, 1)).toBeUndefined()
})
