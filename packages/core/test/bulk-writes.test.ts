import { Default, defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const Item = defineModel('items', { name: Type.String(), count: Default(Type.Integer(), 0) }, { softDelete: true })

describeEngines('writes to many records with a cap', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const items = new ModelAccessor(Item, 'items')
    const storage = await open([items])
    await items.insertMany(['a', 'b', 'c'].map((name) => ({ name })))
    return { items, storage }
  }

  test('as many as the cap allows are changed', async () => {
    const { items } = await start()
    expect(await items.updateMany({ count: 0 }, { count: 1 }, { atMost: 3 })).toHaveLength(3)
    expect(await items.deleteMany({ count: 1 }, { atMost: 3 })).toBe(3)
    expect(await items.restoreMany({ count: 1 }, { atMost: 3 })).toBe(3)
    expect(await items.purgeMany([1, 2, 3], { atMost: 3 })).toBe(3)
  })

  test('none is changed when there are more', async () => {
    const { items, storage } = await start()
    await items.delete(3)
    const entries = await storage.audit.count()
    const writes = [
      () => items.updateMany({ count: 0 }, { count: 1 }, { atMost: 1 }),
      () => items.deleteMany({ count: 0 }, { atMost: 1 }),
      () => items.deleteMany([1, 2], { atMost: 1 }),
      () => items.restoreMany({}, { atMost: 2 }),
      () => items.purgeMany({}, { atMost: 2 }),
    ]
    for (const write of writes) expect(await rejectionOf(write())).toMatchObject({ code: 'too_many_matches' })
    expect(await storage.audit.count()).toBe(entries)
  })

  test('a cap that is no whole number is refused', async () => {
    const { items } = await start()
    for (const atMost of [-1, 1.5, Number.NaN]) {
      expect(await rejectionOf(items.deleteMany({ count: 0 }, { atMost }))).toMatchObject({ code: 'invalid_query' })
    }
  })

  test('a patch may be made from each record as it stands', async () => {
    const { items } = await start()
    const changed = await items.updateMany({ name: { in: ['a', 'b'] } }, (item) => ({ count: item.count + item.id }))
    expect(changed.map(({ name, count }) => [name, count])).toEqual([
      ['a', 1],
      ['b', 2],
    ])
  })
})
