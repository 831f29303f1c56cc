import { defineModel } from '@strongroom/core'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { imageAsOf } from '../src/audit/image-as-of.ts'

const Person = defineModel(
  'people',
  { legal_name: Type.String(), name: Type.Optional(Type.String()), phone: Type.Optional(Type.String()) },
  { schemaVersion: 3, renamedFrom: 'users', renamedFields: { legal_name: ['full_name', 'name'] } },
)

describe('an image of the audit log', () => {
  test('of a model that had other names is read under the new ones', () => {
    expect(imageAsOf(Person, 1, { id: 1, name: 'A', age: 7 })).toEqual({ id: 1, legal_name: 'A', name: null, phone: null })
    expect(imageAsOf(Person, 2, { id: 1, full_name: 'A', name: 'nick' })).toEqual({ id: 1, legal_name: 'A', name: 'nick', phone: null })
  })

  test('of a field that has the name of another one by now is that field’s', () => {
    const Moved = defineModel('t', { a: Type.String(), first: Type.String() }, { renamedFields: { a: 'b', first: 'a' } })
    expect(imageAsOf(Moved, 1, { id: 1, a: 'one', b: 'x' })).toEqual({ id: 1, a: 'x', first: 'one' })
    expect(imageAsOf(Moved, 1, { id: 1, a: 'x', first: 'one' })).toEqual({ id: 1, a: 'x', first: 'one' })
  })

  test('of the model as it is stays what it is', () => {
    const image = { id: 1, legal_name: 'A', name: 'nick', phone: '1' }
    expect(imageAsOf(Person, 3, image)).toEqual(image)
    // The version was not raised with the rename.
    expect(imageAsOf(Person, 1, image)).toEqual(image)
  })

  test('of a newer model is answered as it is, and a name of every object is no field of it', () => {
    expect(imageAsOf(Person, 4, { id: 1, title: 'x' })).toEqual({ id: 1, title: 'x' })
    expect(imageAsOf(defineModel('t', { a: Type.String() }, { renamedFields: { a: 'toString' } }), 1, { id: 1 })).toEqual({
      id: 1,
      a: null,
    })
  })
})

describe('declared renames', () => {
  const define = (options: object) => () => defineModel('t', { a: Type.String(), b: Type.String() }, options as never)
  test.each([
    [{ renamedFrom: 't' }, /renamedFrom names the model itself/],
    [{ renamedFrom: 'no name' }, /no table can have been called/],
    [{ renamedFrom: 7 }, /list of field names/],
    [{ renamedFields: { c: 'x' } }, /unknown field "c"/],
    [{ renamedFields: { a: 'a' } }, /was called like that before/],
    [{ renamedFields: { a: 'x', b: ['y', 'x'] } }, /"a" and of "b" that they were called "x"/],
    [{ renamedFields: ['a'] }, /must be an object/],
  ])('%j are refused', (options, sentence) => {
    expect(define(options)).toThrow(sentence)
  })
})
