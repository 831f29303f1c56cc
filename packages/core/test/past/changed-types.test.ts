import { DateTime, Decimal, defineModel, Int64, ModelAccessor, openStorage, PlainDate } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { laterThan } from './clock.ts'

const Before = defineModel('parts', {
  code: Type.String(),
  size: Type.Integer(),
  spare: Type.Integer(),
  known: Type.Boolean(),
  day: DateTime(),
  since: PlainDate(),
  price: Type.String(),
  stock: Int64(),
  note: Type.String(),
})
const After = defineModel(
  'parts',
  {
    code: Type.Integer(),
    size: Type.String(),
    spare: Type.Boolean(),
    known: Type.String(),
    day: PlainDate(),
    since: DateTime(),
    price: Decimal({ precision: 9, scale: 2 }),
    stock: Type.Integer(),
    note: Type.Optional(Type.Integer()),
  },
  { schemaVersion: 2 },
)

const first = {
  code: '12',
  size: 3,
  spare: 1,
  known: true,
  day: new Date('2026-02-03T00:00:00Z'),
  since: '2026-01-02',
  price: '4.50',
  stock: 7n,
}
const second = {
  code: '13',
  size: 4,
  spare: 0,
  known: false,
  day: new Date('2026-03-04T00:00:00Z'),
  since: '2026-02-01',
  price: '5',
  stock: 8n,
}
const asFirst = {
  code: 12,
  size: '3',
  spare: true,
  known: 'true',
  day: '2026-02-03',
  since: new Date('2026-01-02T00:00:00Z'),
  price: '4.50',
  stock: 7,
}

describeEngines('the past of a model whose fields had other types', (engine) => {
  test('is told in the types of today, where a value can be written in them, and a record goes back to it', async () => {
    const url = await engine.freshUrl()
    const old = new ModelAccessor(Before, 'parts')
    const before = await openStorage({ url, accessors: [old] })
    const { id } = await old.insert({ ...first, note: 'twelve' })
    const made = await laterThan()
    await laterThan(made)
    await old.update(id, { ...second, note: '13' })
    await before.close()

    const parts = new ModelAccessor(After, 'parts')
    const kinds = {
      code: ['text', 'integer'],
      size: ['integer', 'text'],
      spare: ['integer', 'boolean'],
      known: ['boolean', 'text'],
      day: ['datetime', 'date'],
      since: ['date', 'datetime'],
      stock: ['int64', 'integer'],
    } as const
    const changes = Object.entries(kinds).map(([name, [from, to]]) => [name, { from: { type: from }, to: { type: to } }])
    const storage = await openStorage({
      url,
      accessors: [parts],
      migrations: [
        {
          name: '001_types',
          up: async (_db, schema) => {
            await schema.alterTable('parts', {
              changeFields: {
                ...Object.fromEntries(changes),
                price: { from: { type: 'text' }, to: { type: 'decimal', precision: 9, scale: 2 } },
                note: { from: { type: 'text' }, to: { type: 'integer', nullable: true } },
              },
            })
          },
        },
      ],
    })
    onTestFinished(() => storage.close())
    // 'twelve' is no number, so that nothing can be told of it.
    const past = { id, ...asFirst, note: null }
    expect(await parts.asOf(made).get(id)).toEqual(past)
    expect(await parts.asOf(made).find({ where: { code: { lt: 13 }, spare: true } })).toEqual([past])
    expect(await parts.asOf(made).find({ where: { code: 13 } })).toEqual([])
    expect((await parts.diff(id, { from: made }))?.changes).toContainEqual({ field: 'price', from: '4.50', to: '5.00' })
    // An entry is what was written.
    expect((await parts.history(id)).at(-1)?.after).toMatchObject({ code: '12', note: 'twelve' })
    // What the image cannot tell stays as it is.
    expect(await parts.revert(id, { to: made })).toEqual({ ...past, note: 13 })
  })
})
