import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'

const Order = defineModel('orders', { org: Type.String(), item: Type.String() }, { tenant: 'org' })

describeEngines('a record limit', (engine) => {
  const open = storagesOn(engine)

  test('counts the records of all tenants, whoever writes', async () => {
    const orders = new ModelAccessor(Order, 'orders')
    const storage = await open([orders], { maxRecordsPerModel: 2 })
    const [red, blue] = [{ principal: { id: 1, tenant: 'red' } }, { principal: { id: 2, tenant: 'blue' } }]
    await orders.insert({ item: 'a' }, red)
    await orders.insert({ item: 'b' }, blue)
    for (const caller of [red, blue])
      expect(await rejectionOf(orders.insert({ item: 'c' }, caller))).toMatchObject({ code: 'record_limit' })
    const inside = storage.transaction(async () => await orders.insert({ item: 'c' }, red))
    expect(await rejectionOf(inside)).toMatchObject({ code: 'record_limit' })
    expect(await orders.count()).toBe(2)
    expect(await orders.deleteMany({}, blue)).toBe(1)
    await orders.insert({ item: 'c' }, red)
  })
})
