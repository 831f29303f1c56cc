import { expect, test } from 'vitest'
import { defineModel } from '../../src/model/define-model.ts'
import { isId, parseId } from '../../src/model/record-id.ts'

const Counted = defineModel('counted', {})
const Made = defineModel('made', {}, { id: 'uuid' })
const Given = defineModel('given', {}, { id: { type: 'text', maxLength: 3 } })

test('a counted id in a path is a positive whole number in its usual spelling', () => {
  expect(parseId(Counted, '7')).toBe(7)
  expect(parseId(Counted, '9007199254740991')).toBe(9007199254740991)
  for (const wrong of ['0', '-1', '07', '+7', '7.0', '1e3', ' 7', '', 'x', '9007199254740993', '99999999999999999', '٧'])
    expect(parseId(Counted, wrong)).toBeUndefined()
})

test('a UUID in a path may be in capitals', () => {
  expect(parseId(Made, '0199B6F4-3C5A-7D0E-9A41-5B8F0C2E7A13')).toBe('0199b6f4-3c5a-7d0e-9a41-5b8f0c2e7a13')
  for (const wrong of ['7', '0199b6f43c5a7d0e9a415b8f0c2e7a13', '{0199b6f4-3c5a-7d0e-9a41-5b8f0c2e7a13}'])
    expect(parseId(Made, wrong)).toBeUndefined()
})

test('a text id is any text that can be stored and stand in a path', () => {
  expect(parseId(Given, 'a/b')).toBe('a/b')
  expect(parseId(Given, '😀😀😀')).toBe('😀😀😀')
  for (const wrong of ['', '.', '..', 'abcd', 'a\0', '\ud800']) expect(parseId(Given, wrong)).toBeUndefined()
  const Long = defineModel('long', {}, { id: 'text' })
  expect(parseId(Long, 'x'.repeat(255))).toBe('x'.repeat(255))
  expect(parseId(Long, 'x'.repeat(256))).toBeUndefined()
})

test('in code an id has its own type', () => {
  expect([1, '1', 1n, 0, 1.5, null, undefined, {}].map((value) => isId(Counted, value))).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
    false,
    false,
  ])
  expect(['x', 5, '..'].map((value) => isId(Given, value))).toEqual([true, false, false])
})
