import { Type } from 'typebox'
import { Compile } from 'typebox/schema'
import { describe, expect, test } from 'vitest'
import { defineModel } from '../../src/model/define-model.ts'
import { Bytes, DateTime, Decimal, Default, Int64, Json, PlainDate, Ref } from '../../src/model/field-types.ts'
import { jsonSchemaOf } from '../../src/model/json-schema.ts'
import { recordToJson } from '../../src/model/record-json.ts'

const Country = defineModel('countries', { name: Type.String() }, { id: { name: 'code', type: 'text', maxLength: 2 } })
const User = defineModel(
  'users',
  {
    name: Type.String({ minLength: 1, description: 'As it is written' }),
    role: Default(Type.Optional(Type.Enum(['operator', 'admin'])), 'operator'),
    country: Ref(() => Country),
    balance: Default(Int64(), 0n),
    price: Type.Optional(Decimal({ precision: 5, scale: 2 })),
    password_hash: Type.String(),
    score: Default(Type.Integer(), 0),
    login: Type.String(),
  },
  { stamps: true, softDelete: true, secret: ['password_hash'], readOnly: ['score'], immutable: ['login'] },
)

test('a read has every field that clients see, required and nullable', () => {
  expect(jsonSchemaOf(User, 'read')).toEqual({
    type: 'object',
    additionalProperties: false,
    required: [
      'id',
      'name',
      'role',
      'country',
      'balance',
      'price',
      'score',
      'login',
      'created_at',
      'updated_at',
      'created_by',
      'updated_by',
      'deleted_at',
    ],
    properties: {
      id: { type: 'integer', minimum: 1, maximum: 9007199254740991 },
      name: { type: 'string', minLength: 1, description: 'As it is written' },
      role: { type: ['string', 'null'], enum: ['operator', 'admin', null] },
      country: { type: 'string', minLength: 1, maxLength: 2 },
      balance: { type: 'string', pattern: '^-?(0|[1-9]\\d{0,18})$' },
      price: { type: ['string', 'null'], pattern: '^-?(0|[1-9]\\d{0,2})(\\.\\d{1,2})?$' },
      score: { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
      login: { type: 'string' },
      created_at: { type: 'string', format: 'date-time' },
      updated_at: { type: 'string', format: 'date-time' },
      created_by: { type: ['string', 'null'] },
      updated_by: { type: ['string', 'null'] },
      deleted_at: { type: ['string', 'null'], format: 'date-time' },
    },
  })
})

test('an insert has what a request may set, requires what has no default, and shows the defaults', () => {
  expect(jsonSchemaOf(User, 'insert')).toMatchObject({
    additionalProperties: false,
    required: ['name', 'country', 'password_hash', 'login'],
    properties: {
      role: { type: ['string', 'null'], enum: ['operator', 'admin', null], default: 'operator' },
      balance: { anyOf: [{ type: 'string' }, { type: 'integer' }], default: '0' },
      price: { anyOf: [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, { type: 'null' }] },
    },
  })
  expect(Object.keys(Reflect.get(jsonSchemaOf(User, 'insert'), 'properties'))).toEqual([
    'name',
    'role',
    'country',
    'balance',
    'price',
    'password_hash',
    'login',
  ])
})

test('an update has what may change, and requires nothing', () => {
  const schema = jsonSchemaOf(User, 'update')
  expect(Object.keys(Reflect.get(schema, 'properties'))).toEqual(['name', 'role', 'country', 'balance', 'price', 'password_hash'])
  expect(schema).not.toHaveProperty('required')
  expect(JSON.stringify(schema)).not.toContain('default')
})

test('a text id is given with an insert', () => {
  expect(jsonSchemaOf(Country, 'insert')).toMatchObject({ required: ['code', 'name'] })
  expect(jsonSchemaOf(Country, 'update')).toMatchObject({ properties: { name: { type: 'string' } } })
})

describe('what is published', () => {
  const Thing = defineModel('things', {
    data: Json(Type.Object({ tags: Type.Array(Type.String()), note: Type.Optional(Type.String({ pattern: /^x/ })) })),
    any: Type.Optional(Json()),
    image: Bytes({ maxLength: 4 }),
    day: PlainDate(),
    at: DateTime({ description: 'When' }),
    folded: Type.String({ pattern: /^a/i }),
    exact: Type.String({ pattern: /^a/ }),
    level: Type.Union([Type.Literal(1), Type.Literal(2)]),
  })

  test('is plain JSON', () => {
    const { properties } = jsonSchemaOf(Thing, 'read') as { properties: object }
    expect(JSON.parse(JSON.stringify(properties))).toEqual({
      id: { type: 'integer', minimum: 1, maximum: 9007199254740991 },
      data: {
        type: 'object',
        required: ['tags'],
        properties: { tags: { type: 'array', items: { type: 'string' } }, note: { type: 'string', pattern: '^x' } },
      },
      any: {},
      image: { type: 'string', contentEncoding: 'base64', maxLength: 8, pattern: expect.stringContaining('A-Za-z0-9+/') },
      day: { type: 'string', format: 'date' },
      at: { type: 'string', format: 'date-time', description: 'When' },
      folded: { type: 'string' },
      exact: { type: 'string', pattern: '^a' },
      level: { type: 'integer', enum: [1, 2] },
    })
  })

  test('describes the wire form of a record', () => {
    const row = {
      id: 1,
      data: { tags: ['a'] },
      any: null,
      image: new Uint8Array([1]),
      day: '2026-01-31',
      at: new Date(0),
      folded: 'ABC',
      exact: 'abc',
      level: 2,
    }
    const validator = Compile(jsonSchemaOf(Thing, 'read') as object)
    expect(validator.Errors(recordToJson(Thing, row, { secrets: 'omit' }))[1]).toEqual([])
    expect(validator.Check({ ...recordToJson(Thing, row, { secrets: 'omit' }), extra: 1 })).toBe(false)
  })
})
