import fc from 'fast-check'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { defineModel } from '../../src/model/define-model.ts'
import { Bytes, DateTime, Decimal, Default, Int64, Json, PlainDate } from '../../src/model/field-types.ts'
import { recordFromJson, recordToJson, secretMark } from '../../src/model/record-json.ts'
import { normaliseRecord, validateRecord } from '../../src/model/validate-record.ts'

const Account = defineModel(
  'accounts',
  {
    owner: Type.String(),
    balance: Int64(),
    opened: Type.Optional(DateTime()),
    token: Type.Optional(Type.String()),
    rating: Default(Type.Integer(), 0),
    code: Type.Optional(Type.String()),
  },
  { stamps: true, softDelete: true, secret: ['token'], readOnly: ['rating'], immutable: ['code'] },
)

describe('recordToJson', () => {
  test('gives the wire form, without secrets and row_version', () => {
    const row = { id: 1, owner: 'Alice', balance: 2n ** 60n, opened: new Date(0), token: 'canary', rating: 3, code: null, row_version: 'v' }
    expect(recordToJson(Account, row, { secrets: 'omit' })).toEqual({
      id: 1,
      owner: 'Alice',
      balance: '1152921504606846976',
      opened: '1970-01-01T00:00:00.000Z',
      rating: 3,
      code: null,
    })
  })

  test('masks secrets, also where they are null, and leaves out what a projection does not have', () => {
    expect(recordToJson(Account, { id: 1, token: 'canary' }, { secrets: 'mask' })).toEqual({ id: 1, token: secretMark })
    expect(recordToJson(Account, { id: 1, token: null }, { secrets: 'mask' })).toEqual({ id: 1, token: '[secret]' })
    expect(recordToJson(Account, { id: 1 }, { secrets: 'mask' })).toEqual({ id: 1 })
  })
})

describe('recordFromJson', () => {
  test('reads an insert into code form; secrets may be written', () => {
    const body = { owner: 'Alice', balance: '5', opened: '2026-01-31T12:00:00+01:00', token: 'x', code: 'y' }
    const read = recordFromJson(Account, body, 'insert')
    expect(read).toEqual({ record: { ...body, balance: 5n, opened: new Date('2026-01-31T11:00:00Z') }, owned: {}, issues: [] })
  })

  test.each([[null], [undefined], [[]], ['text'], [5], [true]])('%s is no record', (body) => {
    expect(recordFromJson(Account, body, 'insert').issues).toEqual([
      { path: '', message: 'must be a JSON object with a value for each field' },
    ])
  })

  test('names unknown fields, wrong values and nulls that may not be', () => {
    const body = JSON.parse(
      '{"owner":null,"balance":9007199254740993,"opened":"now","ownr":1,"row_version":"x","__proto__":{"a":1},"constructor":{"prototype":1}}',
    )
    const { issues, record } = recordFromJson(Account, body, 'insert')
    expect(issues.map((issue) => issue.path)).toEqual(['owner', 'balance', 'opened', 'ownr', 'row_version', '__proto__', 'constructor'])
    expect(issues[0]).toEqual({ path: 'owner', message: 'must not be null' })
    expect(issues[3]).toEqual({ path: 'ownr', message: 'is no field of accounts. Did you mean "owner"?' })
    expect(record).toEqual({})
    expect(({} as Record<string, unknown>).a).toBeUndefined()
  })

  test('keeps apart, and does not judge, what a request may not set', () => {
    const body = { id: 7, rating: 'high', created_at: '2026-01-31T12:00:00Z', updated_by: null, deleted_at: 'x', code: 'y', owner: 'Alice' }
    const insert = recordFromJson(Account, body, 'insert')
    expect(insert.issues).toEqual([])
    expect(insert.record).toEqual({ owner: 'Alice', code: 'y' })
    expect(insert.owned).toEqual({ id: 7, rating: 'high', created_at: new Date('2026-01-31T12:00:00Z'), updated_by: null, deleted_at: 'x' })
    for (const mode of ['update', 'replace'] as const) {
      const update = recordFromJson(Account, body, mode)
      expect(update.record).toEqual({ owner: 'Alice' })
      expect(update.owned).toMatchObject({ id: 7, code: 'y' })
    }
  })

  test('takes the id of an insert where the caller gives it', () => {
    const Country = defineModel('countries', { name: Type.String() }, { id: { name: 'code', type: 'text' } })
    expect(recordFromJson(Country, { code: 'DE', name: 'Germany' }, 'insert').record).toEqual({ code: 'DE', name: 'Germany' })
    expect(recordFromJson(Country, { code: '.', name: 'Germany' }, 'insert').issues.map((issue) => issue.path)).toEqual(['code'])
    expect(recordFromJson(Country, { code: 'DE', name: 'Germany' }, 'update').owned).toEqual({ code: 'DE' })
  })

  test('stops after a hundred issues', () => {
    const body = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`x${index}`, 1]))
    expect(recordFromJson(Account, body, 'insert').issues).toHaveLength(100)
  })
})

describe('every acceptable record', () => {
  const price = Decimal({ precision: 18, scale: 4 })
  const Hostile = defineModel('hostile', {
    text: Type.String(),
    whole: Type.Integer(),
    real: Type.Number(),
    flag: Type.Boolean(),
    large: Int64(),
    price,
    at: DateTime(),
    day: PlainDate(),
    data: Json(),
    image: Bytes(),
    maybe: Type.Optional(Type.String()),
  })
  const text = fc
    .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '😀', "'; DROP TABLE users; --", '"\n\r\t', '‮', 'null', '__proto__'))
    .filter((value) => !value.includes('\0'))
  const real = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-0, 1e308, 5e-324, 0.1 + 0.2))
  const decimal = fc.tuple(
    fc.boolean(),
    fc.integer({ min: 0, max: 99999999999999 }),
    fc.string({ unit: fc.constantFrom('0', '1', '9'), maxLength: 4 }),
  )
  const record = fc.record({
    text,
    whole: fc.maxSafeInteger(),
    real,
    flag: fc.boolean(),
    large: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    price: decimal.map(([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}${fraction && `.${fraction}`}`),
    at: fc.date({ min: new Date(-62135596800000), max: new Date(253402300799999), noInvalidDate: true }),
    day: fc
      .date({ min: new Date(-62135596800000), max: new Date(253402300799999), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
    data: fc.jsonValue({ maxDepth: 5 }).filter((value) => value !== null && !/\\u(0000|d[89a-f])|"__proto__":/.test(JSON.stringify(value))),
    image: fc.uint8Array(),
    maybe: fc.option(text),
  })

  test('comes back from JSON exactly as it went in', () => {
    fc.assert(
      fc.property(record, (given) => {
        const kept: Record<string, unknown> = { ...given }
        normaliseRecord(Hostile, kept)
        expect(validateRecord(Hostile, kept)).toEqual([])
        const wire = JSON.stringify(recordToJson(Hostile, kept, { secrets: 'omit' }))
        const read = recordFromJson(Hostile, JSON.parse(wire), 'insert')
        expect(read.issues).toEqual([])
        normaliseRecord(Hostile, read.record)
        expect(read.record).toStrictEqual(kept)
      }),
      { numRuns: 500 },
    )
  })

  test('any JSON at all is read without a throw, and what is accepted is valid', () => {
    const names = Hostile.fields.map((field) => field.name)
    const body = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.jsonValue())
    fc.assert(
      fc.property(body, (given) => {
        const { record: read, issues } = recordFromJson(Hostile, given, 'update')
        if (issues.length > 0) return
        for (const [name, value] of Object.entries(read))
          if (value !== null) expect(Hostile.fieldsByName.get(name)?.check(value)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })
})
