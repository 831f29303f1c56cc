import { Bytes, DateTime, Decimal, defineModel, Int64, InvalidQueryError, Json, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Person = defineModel(
  'people',
  {
    name: Type.String(),
    age: Type.Optional(Type.Integer()),
    score: Type.Optional(Type.Number()),
    total: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 12, scale: 2 })),
    born: Type.Optional(DateTime()),
    active: Type.Optional(Type.Boolean()),
    key: Type.Optional(Bytes()),
    extra: Type.Optional(Json()),
    token: Type.Optional(Type.String()),
  },
  { softDelete: true, secret: ['token'] },
)

const names = ['Ann', 'ann', 'Zoe', 'Äva', 'éric', '', '👻', '\uFF21', 'B']
const given = [
  {
    name: 'Ann',
    age: 30,
    score: 1.5,
    total: 2n ** 53n + 1n,
    price: '10.50',
    born: new Date('1960-01-01T00:00:00Z'),
    active: true,
    key: new Uint8Array([1]),
  },
  {
    name: 'ann',
    age: 20,
    score: -1.5,
    total: -5n,
    price: '9.90',
    born: new Date('2000-01-01T00:00:00Z'),
    active: false,
    key: new Uint8Array([1, 0]),
  },
  {
    name: 'Zoe',
    age: 30,
    score: 0,
    total: 2n ** 53n,
    price: '-3.00',
    born: new Date('0001-01-01T00:00:00Z'),
    active: true,
    key: new Uint8Array(),
  },
  { name: 'Äva', token: 'x' },
  { name: 'éric', age: 40, extra: { a: 1 } },
  { name: '' },
  { name: '👻', age: 20 },
  { name: '\uFF21', age: 10 },
  { name: 'B', age: 40, active: false },
]

describeEngines('reads', (engine) => {
  const open = storagesOn(engine, 'suite')
  const people = new ModelAccessor(Person, 'people')
  const idsWhere = async (where: object): Promise<number[]> => (await people.find({ where })).map((row) => row.id)
  const orderOf = async (orderBy: unknown): Promise<number[]> => (await people.find({ orderBy: orderBy as never })).map((row) => row.id)

  beforeAll(async () => {
    await open([people])
    await people.insertMany(given)
    const gone = await people.insert({ name: 'gone', age: 30 })
    await people.delete(gone.id)
  })

  describe('get', () => {
    test('answers the record, or null', async () => {
      expect(await people.get(1)).toMatchObject({ id: 1, name: 'Ann', price: '10.50', extra: null, deleted_at: null })
      expect(await people.get(99)).toBeNull()
    })

    test.each([[0], [-1], [1.5], ['1'], [Number.NaN], [null], [undefined], [{}], [[1]], [2 ** 60], [1n], [true]])(
      'an id of the wrong shape is not found: %s',
      async (id) => {
        expect(await people.get(id as never)).toBeNull()
      },
    )

    test('a deleted record is found when it is asked for', async () => {
      expect(await people.get(10)).toBeNull()
      expect(await people.get(10, { includeDeleted: true })).toMatchObject({ name: 'gone', deleted_at: expect.any(Date) })
    })

    test('a condition must hold too', async () => {
      expect(await people.get(1, { where: { age: 30 } })).toMatchObject({ id: 1 })
      expect(await people.get(1, { where: { age: { lt: 30 } } })).toBeNull()
    })
  })

  describe('conditions', () => {
    test.each<[string, object, number[]]>([
      ['equality', { age: 30 }, [1, 3]],
      ['equality is case-sensitive', { name: 'ann' }, [2]],
      ['the empty string is a value', { name: '' }, [6]],
      ['equality with null', { age: null }, [4, 6]],
      ['eq null', { age: { eq: null } }, [4, 6]],
      ['several fields', { age: 30, name: 'Zoe' }, [3]],
      ['several comparisons', { age: { gte: 20, lt: 40 } }, [1, 2, 3, 7]],
      ['ne matches null too', { age: { ne: 30 } }, [2, 4, 5, 6, 7, 8, 9]],
      ['ne null', { age: { ne: null } }, [1, 2, 3, 5, 7, 8, 9]],
      ['lt', { age: { lt: 20 } }, [8]],
      ['lte', { age: { lte: 20 } }, [2, 7, 8]],
      ['gt', { age: { gt: 30 } }, [5, 9]],
      ['gte', { age: { gte: 30 } }, [1, 3, 5, 9]],
      ['in', { age: { in: [10, 40] } }, [5, 8, 9]],
      ['in with null', { age: { in: [10, null] } }, [4, 6, 8]],
      ['in nothing', { age: { in: [] } }, []],
      ['in null alone', { age: { in: [null] } }, [4, 6]],
      ['notIn matches null too', { age: { notIn: [10, 20, 30] } }, [4, 5, 6, 9]],
      ['notIn with null', { age: { notIn: [10, null] } }, [1, 2, 3, 5, 7, 9]],
      ['notIn nothing', { age: { notIn: [] } }, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ['notIn null alone', { age: { notIn: [null] } }, [1, 2, 3, 5, 7, 8, 9]],
      ['isNull', { age: { isNull: true } }, [4, 6]],
      ['not isNull', { age: { isNull: false } }, [1, 2, 3, 5, 7, 8, 9]],
      ['isNull of JSON', { extra: { isNull: false } }, [5]],
      ['undefined asks nothing', { age: undefined, name: { eq: undefined } }, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ['text compares by code point', { name: { gt: 'Zoe' } }, [2, 4, 5, 7, 8]],
      ['text past the basic plane is larger', { name: { gte: '\uFF21' } }, [7, 8]],
      ['a number that is no whole one', { score: { gt: -1.5, lte: 0 } }, [3]],
      ['64-bit integers exactly', { total: { gt: 2n ** 53n } }, [1]],
      ['64-bit integers in a list', { total: { in: [2n ** 53n, -5n] } }, [2, 3]],
      ['decimals by their value', { price: { gt: '9.9' } }, [1]],
      ['decimals equal whatever their digits', { price: '10.5' }, [1]],
      ['negative decimals', { price: { lt: '0' } }, [3]],
      ['instants', { born: { lt: new Date('1970-01-01T00:00:00Z') } }, [1, 3]],
      ['booleans', { active: true }, [1, 3]],
      ['booleans that are not so, or null', { active: { ne: true } }, [2, 4, 5, 6, 7, 8, 9]],
      ['bytes', { key: new Uint8Array([1, 0]) }, [2]],
      ['bytes in order', { key: { lt: new Uint8Array([1, 0]) } }, [1, 3]],
    ])('%s', async (_name, where, ids) => {
      expect(await idsWhere(where)).toEqual(ids)
      expect(await people.count(where)).toBe(ids.length)
      expect(await people.exists(where)).toBe(ids.length > 0)
    })

    test('long lists are asked whole', async () => {
      const many = Array.from({ length: 1500 }, (_, index) => index + 100)
      expect(await idsWhere({ age: { in: [...many, 40] } })).toEqual([5, 9])
      expect(await idsWhere({ age: { notIn: [...many, 40] } })).toEqual([1, 2, 3, 4, 6, 7, 8])
    })

    test('lists that are longer than a statement may be are refused alike', async () => {
      const error = await rejectionOf(people.find({ where: { age: { in: Array.from({ length: 30_001 }, (_, index) => index) } } }))
      expect(error).toMatchObject({ code: 'invalid_query', message: expect.stringContaining('30000') })
      expect(await people.deleteMany(Array.from({ length: 40_000 }, (_, index) => index + 1000))).toBe(0)
    })

    test('conditions may be many side by side, and some deep', async () => {
      const any = (count: number) => ({ or: Array.from({ length: count }, (_, index) => ({ age: index + 40 })) })
      for (const count of [33, 1_001, 20_000]) expect(await people.count(any(count))).toBe(2)
      expect(await people.count({ and: Array.from({ length: 2_000 }, () => ({ age: { gte: 40 } })) })).toBe(2)
      const nested = (depth: number) => Array.from({ length: depth }).reduce<object>((inner) => ({ not: inner }), { age: { gte: 40 } })
      expect(await idsWhere(nested(32))).toEqual(await idsWhere({ age: { gte: 40 } }))
      for (const depth of [33, 2_000, 20_000]) {
        expect(await rejectionOf(people.find({ where: nested(depth) }))).toMatchObject({ code: 'invalid_query' })
      }
    })

    test.each<[string, object]>([
      ['an unknown field', { nme: 'x' }],
      ['an unknown comparison', { name: { like: 'x' } }],
      ['a list for eq', { age: [1] }],
      ['null in a comparison', { age: { lt: null } }],
      ['a value of another type', { age: '30' }],
      ['a number past what is exact', { age: 2 ** 53 }],
      ['a number for 64 bits', { total: 5 }],
      ['half a surrogate pair', { name: '\uD800' }],
      ['NUL', { name: { gt: 'a\0' } }],
      ['JSON', { extra: { eq: { a: 1 } } }],
      ['in without a list', { age: { in: 1 } }],
      ['isNull without a boolean', { age: { isNull: 'yes' } }],
      ['the hidden row version', { row_version: 'x' }],
      ['a name from the prototype', { constructor: 1, toString: { eq: 1 } }],
    ])('%s is refused', async (_name, where) => {
      const error = await rejectionOf(people.find({ where: where as never }))
      expect(error).toBeInstanceOf(InvalidQueryError)
      expect(error).toMatchObject({ code: 'invalid_query', status: 400 })
    })

    test('text that no record can have is told from values of another kind', async () => {
      const messages = [{ name: 'a\0' }, { name: 1 }].map(async (where) =>
        String(await rejectionOf(people.find({ where: where as never }))),
      )
      expect(await Promise.all(messages)).toEqual([
        expect.stringMatching(/name is text, and .* one that has NUL or half of a surrogate pair/),
        expect.stringMatching(/name is text, and .* a number/),
      ])
    })

    test('a secret field answers exactly like one that does not exist', async () => {
      const messages = async (field: string): Promise<string[]> => {
        const questions = [
          people.find({ where: { [field]: 'x' } as never }),
          people.find({ where: { [field]: null } as never }),
          people.count({ [field]: { ne: 'x' } } as never),
          people.get(1, { where: { [field]: 'x' } as never }),
          people.find({ orderBy: field as never }),
          people.find({ orderBy: [`-${field}`] as never }),
          people.updateMany({ [field]: 'x' } as never, { name: 'y' }),
          people.deleteMany({ [field]: 'x' } as never),
        ]
        const errors = await Promise.all(questions.map(rejectionOf))
        return errors.map((error) => String(error).replaceAll(field, '?'))
      }
      expect(await messages('token')).toEqual(await messages('tokem'))
    })
  })

  describe('order', () => {
    test.each<[string, unknown, number[]]>([
      ['by id when nothing is said', undefined, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ['downwards', '-id', [9, 8, 7, 6, 5, 4, 3, 2, 1]],
      ['null is the largest', 'age', [8, 2, 7, 1, 3, 5, 9, 4, 6]],
      ['null comes first downwards, and ties go by id in the same direction', '-age', [6, 4, 9, 5, 3, 1, 7, 2, 8]],
      ['ties go by id upwards where that is said', ['-age', 'id'], [4, 6, 5, 9, 1, 3, 2, 7, 8]],
      ['by several fields', ['-age', '-name'], [4, 6, 5, 9, 3, 1, 7, 2, 8]],
      ['text by code point', 'name', [6, 1, 9, 3, 2, 4, 5, 8, 7]],
      ['64-bit integers', ['total'], [2, 3, 1, 4, 5, 6, 7, 8, 9]],
      ['decimals', ['price'], [3, 2, 1, 4, 5, 6, 7, 8, 9]],
      ['instants', ['-born', 'id'], [4, 5, 6, 7, 8, 9, 2, 1, 3]],
      ['false before true', ['active', '-id'], [9, 2, 3, 1, 8, 7, 6, 5, 4]],
      ['bytes', ['key'], [3, 1, 2, 4, 5, 6, 7, 8, 9]],
      ['a field twice counts once', ['age', '-age'], [8, 2, 7, 1, 3, 5, 9, 4, 6]],
    ])('%s', async (_name, orderBy, ids) => {
      expect(await orderOf(orderBy)).toEqual(ids)
    })

    test('text sorts as its UTF-8 bytes do', async () => {
      const sorted = (await people.find({ orderBy: 'name' })).map((row) => row.name)
      expect(sorted).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    })

    test.each([['nme'], ['-'], [''], ['name;DROP'], ['--name'], [['extra']], [[7]], ['row_version']])('%s is refused', async (orderBy) => {
      expect(await rejectionOf(people.find({ orderBy: orderBy as never }))).toMatchObject({ code: 'invalid_query' })
    })
  })

  describe('pages', () => {
    test.each<[{ limit?: number; offset?: number }, number[]]>([
      [{ limit: 2 }, [1, 2]],
      [{ limit: 2, offset: 3 }, [4, 5]],
      [{ offset: 7 }, [8, 9]],
      [{ offset: 0 }, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
      [{ limit: 0 }, []],
      [{ limit: 0, offset: 2 }, []],
      [{ limit: 100, offset: 100 }, []],
      [{ limit: Number.MAX_SAFE_INTEGER, offset: Number.MAX_SAFE_INTEGER }, []],
    ])('%j', async (page, ids) => {
      expect((await people.find(page)).map((row) => row.id)).toEqual(ids)
    })

    test.each([
      [{ limit: -1 }],
      [{ limit: 1.5 }],
      [{ limit: Number.NaN }],
      [{ offset: -1 }],
      [{ limit: '5' }],
      [{ offset: Number.POSITIVE_INFINITY }],
    ])('%j is refused', async (page) => {
      expect(await rejectionOf(people.find(page as never))).toMatchObject({ code: 'invalid_query' })
    })
  })

  describe('all, findOne, count, exists and stream', () => {
    test('all answers every live record in the order of the ids', async () => {
      expect((await people.all()).map((row) => row.name)).toEqual(names)
      expect(await people.all({ includeDeleted: true })).toHaveLength(10)
    })

    test('findOne answers the first or null', async () => {
      expect(await people.findOne({ where: { age: 30 }, orderBy: '-id' })).toMatchObject({ id: 3 })
      expect(await people.findOne({ where: { age: 30 }, offset: 1 })).toMatchObject({ id: 3 })
      expect(await people.findOne({ where: { age: 99 } })).toBeNull()
    })

    test('count and exists know deleted records when they are asked', async () => {
      expect([await people.count(), await people.count(undefined, { includeDeleted: true })]).toEqual([9, 10])
      expect([await people.exists({ name: 'gone' }), await people.exists({ name: 'gone' }, { includeDeleted: true })]).toEqual([
        false,
        true,
      ])
    })

    test('stream answers what find answers', async () => {
      for (const question of [
        {},
        { where: { age: { ne: 30 } }, orderBy: ['-age', 'name'], limit: 3, offset: 1 },
        { includeDeleted: true },
        { limit: 0 },
      ] as const) {
        const rows: unknown[] = []
        for await (const row of people.stream(question)) rows.push(row)
        expect(rows).toStrictEqual(await people.find(question))
      }
    })

    test('a stream that is left early harms nobody, and a wrong one is refused at its first step', async () => {
      for await (const row of people.stream()) if (row.id === 2) break
      expect(await rejectionOf(people.stream({ where: { nme: 1 } as never }).next())).toMatchObject({ code: 'invalid_query' })
      expect(await people.count()).toBe(9)
    })

    test('a stream that is left lying half-read ends when the storage is closed, and does not hold that up', async () => {
      const Tick = defineModel('ticks', {})
      const ticks = new ModelAccessor(Tick, 'ticks')
      const own = await open([ticks])
      await ticks.insertMany(Array.from({ length: 1200 }, () => ({})))
      const [lying, read] = [ticks.stream(), ticks.stream()]
      expect([await lying.next(), await read.next()]).toMatchObject([{ value: { id: 1 } }, { value: { id: 1 } }])
      await own.close()
      const rest = async (): Promise<void> => {
        for await (const tick of read) expect(tick.id).toBeLessThan(1200)
      }
      expect(await rejectionOf(rest())).toMatchObject({ code: 'storage_closed' })
    })

    test('a stream sees one moment, whatever is written meanwhile', async () => {
      const Tick = defineModel('ticks', {})
      const ticks = new ModelAccessor(Tick, 'ticks')
      await open([ticks])
      await ticks.insertMany(Array.from({ length: 1200 }, () => ({})))
      let seen = 0
      for await (const _tick of ticks.stream()) if (seen++ === 0) await ticks.deleteMany({})
      expect(seen).toBe(1200)
      expect(await ticks.count()).toBe(0)
    })
  })
})
