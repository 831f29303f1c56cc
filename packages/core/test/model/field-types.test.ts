import fc from 'fast-check'
import { Type } from 'typebox'
import Format from 'typebox/format'
import { describe, expect, test } from 'vitest'
import { defineModel } from '../../src/model/define-model.ts'
import { Bytes, DateTime, Decimal, Int64, Json, PlainDate } from '../../src/model/field-types.ts'
import type { Field } from '../../src/model/model.ts'

function fieldFor(schema: object): Field {
  const field = defineModel('things', { it: schema }).fieldsByName.get('it')
  if (!field) throw new Error('the field is missing')
  return field
}

/** So many of the digits stand after the point. */
function decimalText(digits: number, after: number): string {
  const text = String(Math.abs(digits)).padStart(after + 1, '0')
  const whole = text.slice(0, text.length - after)
  return `${digits < 0 ? '-' : ''}${whole}${after > 0 ? `.${text.slice(-after)}` : ''}`
}

/** Lists of: value, what is wrong with it (undefined for nothing). */
function expectChecks(schema: object, cases: [unknown, string | undefined][]): void {
  const field = fieldFor(schema)
  for (const [value, problem] of cases) {
    const found = field.check(value)
    if (problem === undefined) expect(found).toBeUndefined()
    else expect(found).toContain(problem)
  }
}

const halfPair = 'half of a surrogate pair'

describe('text', () => {
  test('may be anything but NUL and halves of surrogate pairs', () => {
    expectChecks(Type.String(), [
      ['', undefined],
      ['it\'s "quoted"\n\t😀 é ‮', undefined],
      ['a\0b', 'must not contain the character NUL'],
      ['\ud83d', halfPair],
      ['\ude00\ud83d', halfPair],
      [5, 'must be text'],
      [new String('a'), 'must be text'],
    ])
  })

  test('is as long as its characters, not its UTF-16 units', () => {
    expectChecks(Type.String({ minLength: 2, maxLength: 3 }), [
      ['😀😀😀', undefined],
      ['😀😀😀😀', 'must have at most 3 characters'],
      ['😀', 'must have at least 2 characters'],
      ['ab', undefined],
      ['abcd', 'must have at most 3 characters'],
    ])
    expectChecks(Type.String({ minLength: 1 }), [['', 'must not be empty']])
  })

  test('fits its pattern, whatever its flags, and its format', () => {
    expectChecks(Type.String({ pattern: '^\\p{Lu}+$' }), [
      ['ÄB', undefined],
      ['äb', 'must match the pattern ^\\p{Lu}+$'],
    ])
    const sticky = fieldFor(Type.String({ pattern: /b/gi }))
    expect([sticky.check('abB'), sticky.check('abB'), sticky.check('a')]).toEqual([undefined, undefined, 'must match the pattern b'])
    expectChecks(Type.String({ format: 'email' }), [
      ['a@example.com', undefined],
      ['example.com', 'must be a valid email'],
    ])
    expectChecks(Type.String({ format: 'uuid' }), [
      ['0199b6f4-3c5a-7d0e-9a41-5b8f0c2e7a13', undefined],
      ['x', 'must be a valid uuid'],
    ])
  })

  test('fits a format that the program has added', () => {
    Format.Set('shout', (value) => value === value.toUpperCase())
    expectChecks(Type.String({ format: 'shout' }), [
      ['HEY', undefined],
      ['hey', 'must be a valid shout'],
    ])
  })

  test('obeys what TypeBox adds: Refine with its message, and keywords beyond the usual', () => {
    expectChecks(
      Type.Refine(
        Type.String(),
        (value) => value !== 'root',
        () => 'must not be root',
      ),
      [
        ['alice', undefined],
        ['root', 'must not be root'],
      ],
    )
    expectChecks(Type.Unsafe({ type: 'string', not: { const: 'root' } }), [
      ['alice', undefined],
      ['root', 'must not'],
    ])
  })
})

describe('numbers', () => {
  test('Integer is whole and within what JSON carries exactly', () => {
    expectChecks(Type.Integer({ minimum: -5 }), [
      [-5, undefined],
      [Number.MAX_SAFE_INTEGER, undefined],
      [-6, 'must be at least -5'],
      [2 ** 53, 'within ±(2^53 - 1)'],
      [1.5, 'must be a whole number'],
      [Number.NaN, 'must be a whole number'],
      ['5', 'must be a whole number'],
      [5n, 'must be a whole number'],
    ])
  })

  test('Number is finite and within its bounds', () => {
    expectChecks(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1e308, multipleOf: 0.5 }), [
      [0.5, undefined],
      [0, 'must be above 0'],
      [1e308, 'must be below'],
      [0.7, 'multiple of 0.5'],
      [Number.POSITIVE_INFINITY, 'must be a finite number'],
      [Number.NaN, 'must be a finite number'],
      [true, 'must be a number'],
    ])
    expectChecks(Type.Number({ maximum: 3 }), [[4, 'must be at most 3']])
  })

  test('-0 is kept as 0', () => {
    expect(Object.is(fieldFor(Type.Number()).normalise(-0), 0)).toBe(true)
    expect(Object.is(fieldFor(Type.Integer()).normalise(-0), 0)).toBe(true)
  })

  test('Int64 is a bigint in code and text in JSON, where exact numbers are taken too', () => {
    const field = fieldFor(Int64())
    expect(field.check(2n ** 63n - 1n)).toBeUndefined()
    expect(field.check(-(2n ** 63n))).toBeUndefined()
    expect(field.check(2n ** 63n)).toContain('within -2^63')
    expect(field.check(field.fromJson(2 ** 53))).toContain('within ±(2^53 - 1), send larger ones as text')
    expect(field.fromJson('9007199254740993')).toBe(9007199254740993n)
    expect(field.fromJson(7)).toBe(7n)
    expect(field.fromJson('-0')).toBe(0n)
    expect(field.toJson(-5n)).toBe('-5')
    for (const wrong of ['', ' 1', '+1', '01', '1.0', '1e3', '0x10', '99999999999999999999', 1.5, true, {}])
      expect(field.check(field.fromJson(wrong))).toBeTypeOf('string')
  })
})

describe('Decimal', () => {
  const field = fieldFor(Decimal({ precision: 5, scale: 2 }))

  test.each([
    ['12.5', '12.50'],
    ['12', '12.00'],
    ['-0', '0.00'],
    ['-0.00', '0.00'],
    ['-0.01', '-0.01'],
    ['999.99', '999.99'],
  ])('%s is kept as %s', (given, kept) => {
    expect(field.check(given)).toBeUndefined()
    expect(field.normalise(given)).toBe(kept)
  })

  test.each([
    ['1000', 'at most 3 digits before the point'],
    ['1.234', 'at most 2 digits after the point'],
    ['1.230', 'at most 2 digits after the point'],
    ['.5', 'must be a decimal number as text, e.g. "12.50"'],
    ['5.', 'must be a decimal number'],
    ['+5', 'must be a decimal number'],
    ['005', 'must be a decimal number'],
    ['1e2', 'must be a decimal number'],
    ['', 'must be a decimal number'],
    [5, 'must be a decimal number'],
  ])('%s is refused', (given, problem) => expect(field.check(given)).toContain(problem))

  test.each([
    [12.5, '12.50'],
    [0.1, '0.10'],
    [-3, '-3.00'],
  ])('the JSON number %s is taken', (number, kept) => {
    const read = field.fromJson(number)
    expect(field.check(read)).toBeUndefined()
    expect(field.normalise(read)).toBe(kept)
  })

  test('a JSON number is taken with the digits that it was written with, whatever the scale', () => {
    const written = fc.tuple(fc.integer({ min: 0, max: 18 }), fc.integer({ min: -(10 ** 15 - 1), max: 10 ** 15 - 1 }), fc.nat(18))
    const property = fc.property(written, ([scale, digits, shift]) => {
      const text = decimalText(digits, Math.min(shift, scale))
      const it = fieldFor(Decimal({ precision: 18, scale }))
      if (it.check(text) === undefined) expect(it.normalise(it.fromJson(Number(text)))).toBe(it.normalise(text))
    })
    fc.assert(property, { examples: [[[18, 1, 1]], [[17, 1, 1]], [[18, 7, 2]], [[18, 1, 18]], [[16, -123_456_789_012_345, 15]]] })
  })

  test('a JSON number that may have lost digits, or has too many, is refused', () => {
    const long = fieldFor(Decimal({ precision: 18, scale: 2 }))
    for (const number of [1.005, 1e21, Number.NaN]) expect(field.check(field.fromJson(number))).toBeTypeOf('string')
    for (const number of [90071992547409.94, 2 ** 53]) expect(long.check(long.fromJson(number))).toBeTypeOf('string')
    expect(long.check(long.fromJson(0.07))).toBeUndefined()
  })

  test('without digits after the point has no point', () => {
    const whole = fieldFor(Decimal({ precision: 3, scale: 0 }))
    expect(whole.normalise('-0')).toBe('0')
    expect(whole.check('1.0')).toBe('must have no digits after the point')
  })

  test('of which all digits are after the point begins with 0', () => {
    const fraction = fieldFor(Decimal({ precision: 2, scale: 2 }))
    expect(fraction.check('0.99')).toBeUndefined()
    expect(fraction.check('1.00')).toBe('must have at most 0 digits before the point')
  })
})

describe('DateTime', () => {
  const field = fieldFor(DateTime())

  test.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.5+05:30', '2026-01-31T06:30:00.500Z'],
    ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31 12:00:00.123456-00:00', '2026-01-31T12:00:00.123Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['1969-07-20T20:17:40.9999Z', '1969-07-20T20:17:40.999Z'],
    ['2024-02-29T00:00:00-23:59', '2024-02-29T23:59:00.000Z'],
  ])('%s is read, and answered as %s', (wire, answered) => {
    const date = field.fromJson(wire)
    expect(field.check(date)).toBeUndefined()
    expect(field.toJson(date)).toBe(answered)
  })

  test.each([
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-02-29T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:00:60Z',
    '2026-01-31T12:00:00+24:00',
    '0000-12-31T12:00:00Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '+12026-01-31T12:00:00Z',
    'now',
    '',
    0,
    true,
  ])('%s is refused', (wire) => expect(field.check(field.fromJson(wire))).toBeTypeOf('string'))

  test('in code is a Date within four-digit years', () => {
    expect(field.check(new Date(Number.NaN))).toBe('must be a valid date and time')
    expect(field.check(new Date(8.64e15))).toBe('must lie in the years 0001 to 9999')
    expect(field.check(new Date(-62135596800001))).toBe('must lie in the years 0001 to 9999')
    expect(field.check('2026-01-31T12:00:00Z')).toContain('must be a date and time')
  })

  test('is copied, so that changing the Date changes no record', () => {
    const date = new Date(5)
    const kept = field.normalise(date)
    date.setTime(6)
    expect(kept).toEqual(new Date(5))
  })
})

test('PlainDate is a day that the calendar has', () => {
  expectChecks(PlainDate(), [
    ['2024-02-29', undefined],
    ['2000-02-29', undefined],
    ['0001-01-01', undefined],
    ['9999-12-31', undefined],
    ['1900-02-29', 'a day that the calendar has'],
    ['2026-04-31', 'a day that the calendar has'],
    ['2026-00-10', 'a day that the calendar has'],
    ['0000-01-01', 'years 0001 to 9999'],
    ['2026-1-1', 'must be a date like'],
    ['2026-01-01T00:00:00Z', 'must be a date like'],
    [new Date(), 'must be a date like'],
  ])
})

describe('Json', () => {
  function nested(depth: number): unknown {
    return depth === 0 ? 1 : [nested(depth - 1)]
  }

  test('is plain data, up to 100 levels deep', () => {
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    const kept: unknown[] = [0, 'x', false, [], {}, { a: [null, { b: 1e308 }] }, Object.create(null), nested(100)]
    expectChecks(Json(), [
      ...kept.map((value): [unknown, undefined] => [value, undefined]),
      [nested(101), 'must not be nested more than 100 deep'],
      [cyclic, 'must not be nested more than 100 deep'],
      [{ a: [undefined] }, '/a/0: must be JSON data'],
      [{ a: undefined }, '/a: must be JSON data'],
      [new Array(3), '/0: must be JSON data'],
      [() => 1, 'must be JSON data'],
      [10n, 'must be JSON data'],
      [new Date(), 'must be JSON data'],
      [new Map(), 'must be JSON data'],
      [{ n: Number.NaN }, '/n: must be a finite number'],
      [{ [Symbol('a')]: 1 }, 'must not have symbols for keys'],
      [JSON.parse('{"a":{"__proto__":1}}'), '/a: must not have the key __proto__'],
      [['\ud800'], `/0: must not contain ${halfPair}`],
      [{ 'a\0': 1 }, 'has a key that must not contain the character NUL'],
    ])
  })

  test('fits its schema', () => {
    expectChecks(Json(Type.Object({ tags: Type.Array(Type.String()) })), [
      [{ tags: ['a'] }, undefined],
      [{ tags: [1] }, '/tags/0: must be string'],
      ['x', 'must be object'],
    ])
  })

  test('is copied, with -0 as 0', () => {
    const field = fieldFor(Json())
    const given = { list: [-0, { n: 1 }] }
    const kept = field.normalise(given)
    given.list.push(5)
    expect(kept).toEqual({ list: [0, { n: 1 }] })
  })
})

describe('Bytes', () => {
  const field = fieldFor(Bytes({ maxLength: 4 }))

  test('are base64 in JSON, strictly', () => {
    expect(field.toJson(Buffer.from('abcd').subarray(1, 3))).toBe('YmM=')
    expect(field.fromJson('YmM=')).toEqual(new Uint8Array([98, 99]))
    expect(field.fromJson('')).toEqual(new Uint8Array())
    for (const wrong of ['YmM', 'YmN=', 'Ym M=', 'YmM=\n', '-_8=', '====', 'YQ=a', 5])
      expect(field.check(field.fromJson(wrong))).toContain('must be bytes')
  })

  test('have a length, and are copied', () => {
    expect(field.check(new Uint8Array(5))).toBe('must have at most 4 bytes')
    const given = Buffer.from([1, 2])
    const kept = field.normalise(given)
    given[0] = 9
    expect(kept).toStrictEqual(new Uint8Array([1, 2]))
  })
})

test('Boolean is true or false, and nothing that looks like it', () => {
  expectChecks(Type.Boolean(), [
    [true, undefined],
    [false, undefined],
    [1, 'must be true or false'],
    ['true', 'must be true or false'],
  ])
})

test('an enum takes its values only', () => {
  expectChecks(Type.Enum(['a', 'b']), [
    ['a', undefined],
    ['A', 'must be one of "a", "b"'],
    [0, 'must be one of'],
    ['constructor', 'must be one of'],
  ])
  expectChecks(Type.Enum([0, 1]), [
    [1, undefined],
    ['1', 'must be one of 0, 1'],
    [2, 'must be one of'],
  ])
})
