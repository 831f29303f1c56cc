import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { defineModel } from '../../src/model/define-model.ts'
import { Bytes, DateTime, Decimal, Default, Json, Ref } from '../../src/model/field-types.ts'
import { normaliseRecord, validateRecord } from '../../src/model/validate-record.ts'

const User = defineModel(
  'users',
  {
    name: Type.String({ maxLength: 5 }),
    email: Type.Union([Type.String({ format: 'email' }), Type.Null()]),
    phone: Type.Optional(Type.String()),
    age: Default(Type.Integer({ minimum: 0 }), 18),
  },
  { stamps: true, softDelete: true },
)

const now = new Date()
const whole = {
  id: 1,
  name: 'Alice',
  email: null,
  phone: null,
  age: 5,
  created_at: now,
  updated_at: now,
  created_by: 'a',
  updated_by: 'a',
  deleted_at: null,
}

describe('validateRecord', () => {
  test('finds nothing wrong with a whole record, whatever its hidden row_version', () => {
    expect(validateRecord(User, whole)).toEqual([])
    expect(validateRecord(User, { ...whole, row_version: 'abc' })).toEqual([])
    expect(validateRecord(User, whole)).toBe(validateRecord(User, whole))
  })

  test('lets the database count the id, and fields be absent that are null then', () => {
    const { id: _id, phone: _phone, deleted_at: _deleted, ...rest } = whole
    expect(validateRecord(User, rest)).toEqual([])
  })

  test('names every field that is missing, null, wrong or unknown', () => {
    const { name: _name, email: _email, ...rest } = whole
    expect(validateRecord(User, { ...rest, age: -1, created_at: null, phone: 5, nmae: 'x', zebra: 1 })).toEqual([
      { path: 'name', message: 'is required' },
      { path: 'email', message: 'is required' },
      { path: 'phone', message: 'must be text' },
      { path: 'age', message: 'must be at least 0' },
      { path: 'created_at', message: 'must not be null' },
      { path: 'nmae', message: 'is no field of users. Did you mean "name"?' },
      { path: 'zebra', message: 'is no field of users.' },
    ])
  })

  test('requires an id that is given by the caller', () => {
    const Country = defineModel('countries', { name: Type.String() }, { id: 'text' })
    expect(validateRecord(Country, { name: 'X' })).toEqual([{ path: 'id', message: 'is required' }])
    expect(validateRecord(Country, { id: '..', name: 'X' })).toEqual([
      { path: 'id', message: 'must not be "." or "..", which no URL can carry' },
    ])
  })

  test('checks references as the ids that they are', () => {
    const Post = defineModel('posts', { author: Ref(() => User) })
    expect(validateRecord(Post, { author: 5 })).toEqual([])
    expect(validateRecord(Post, { author: '5' })).toEqual([
      { path: 'author', message: 'must be a whole number from 1 to 9007199254740991' },
    ])
  })

  test('reports a hundred issues at most', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`x${index}`, 1]))
    expect(validateRecord(User, { ...whole, ...many })).toHaveLength(100)
  })
})

describe('normaliseRecord', () => {
  test('fills what is missing with the default or null, and leaves out what must be given', () => {
    const record: Record<string, unknown> = { name: 'Alice' }
    normaliseRecord(User, record)
    expect(record).toEqual({ name: 'Alice', phone: null, age: 18, created_by: null, updated_by: null, deleted_at: null })
  })

  test('brings values into the form that is stored, in copies', () => {
    const Thing = defineModel(
      'things',
      { n: Type.Number(), price: Decimal({ precision: 4, scale: 2 }), at: DateTime(), data: Json(), image: Bytes() },
      { id: 'uuid' },
    )
    const given = {
      id: '0199B6F4-3C5A-7D0E-9A41-5B8F0C2E7A13',
      n: -0,
      price: '1.5',
      at: new Date(5),
      data: { n: -0 },
      image: new Uint8Array([1]),
    }
    const record: Record<string, unknown> = { ...given }
    normaliseRecord(Thing, record)
    expect(record).toStrictEqual({ ...given, id: given.id.toLowerCase(), n: 0, price: '1.50', data: { n: 0 } })
    expect(record.at).not.toBe(given.at)
    expect(record.data).not.toBe(given.data)
    expect(record.image).not.toBe(given.image)
  })

  test('leaves what is not acceptable to validateRecord', () => {
    const Thing = defineModel(
      'things',
      { price: Decimal({ precision: 4, scale: 2 }), at: DateTime(), data: Json(), image: Bytes() },
      { id: 'uuid' },
    )
    const wrong = { id: 5, price: 'x', at: 'y', data: new Map(), image: 'z' }
    const record: Record<string, unknown> = { ...wrong }
    normaliseRecord(Thing, record)
    expect(record).toStrictEqual(wrong)
    expect(validateRecord(Thing, record)).toHaveLength(5)
  })

  test('brings what a default function answers into that form too', () => {
    const Thing = defineModel('things', { price: Default(Decimal({ precision: 4, scale: 2 }), () => '1.5') })
    const record: Record<string, unknown> = {}
    normaliseRecord(Thing, record)
    expect(record).toEqual({ price: '1.50' })
  })

  test('makes the id of a UUID model', () => {
    const Thing = defineModel('things', {}, { id: 'uuid' })
    const record: Record<string, unknown> = {}
    normaliseRecord(Thing, record)
    expect(validateRecord(Thing, record)).toEqual([])
  })
})
