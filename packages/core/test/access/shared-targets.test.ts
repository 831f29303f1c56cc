import { defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'

const Rate = defineModel('rates', { value: Type.Integer() }, { softDelete: true })
const Bill = defineModel(
  'bills',
  { org: Type.String(), rate: Ref(() => Rate, { onDelete: 'restrict' }) },
  { tenant: 'org', softDelete: true },
)

describeEngines('records that tenants share, and point to', (engine) => {
  const open = storagesOn(engine)

  test('are not deleted while a record of whatever tenant restricts it, and nobody hears of whom', async () => {
    const rates = new ModelAccessor(Rate, 'rates')
    const bills = new ModelAccessor(Bill, 'bills')
    const storage = await open([rates, bills])
    const { id } = await rates.insert({ value: 1 })
    const { id: bill } = await bills.insert({ rate: id }, { tenant: 'red' })
    for (const principal of [{ id: 1, tenant: 'red' }, { id: 2, tenant: 'blue' }, { id: 3 }, { id: 4, tenant: '*' }]) {
      for (const remove of [
        () => rates.delete(id, { principal }),
        () => rates.deleteMany({}, { principal }),
        () => rates.purge(id, { principal }),
      ]) {
        const error = await rejectionOf(remove())
        expect(error).toMatchObject({ code: 'reference_conflict' })
        if (principal.tenant !== '*') expect(String(error)).not.toMatch(/red|1 record/)
      }
    }
    expect(await storage.audit.count({ component: 'rates' })).toBe(1)
    await bills.delete(bill)
    expect(await rates.delete(id, { principal: { id: 2, tenant: 'blue' } })).toBe(true)
  })
})
