import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'
import { laterThan } from './clock.ts'

const Rate = defineModel('rates', { value: Type.Integer() })
const Bill = defineModel('bills', { org: Type.String() }, { tenant: 'org' })

describeEngines('the past of records that tenants share', (engine) => {
  const open = storagesOn(engine)
  const red = { principal: { id: 1, tenant: 'red' } }
  const callers = [{ principal: { id: 2, tenant: 'blue' } }, { principal: { id: 3 } }, { principal: { id: 4, tenant: '*' } }, red, {}]

  async function start() {
    const rates = new ModelAccessor(Rate, 'rates')
    const storage = await open([rates, new ModelAccessor(Bill, 'bills')])
    const before = await laterThan()
    await laterThan(before)
    const { id } = await rates.insert({ value: 1 }, { ...red, requestId: 'made' })
    const [made] = await rates.history(id)
    const first = await laterThan()
    await laterThan(first)
    return { rates, storage, id, made: made?.id ?? 0, before, first }
  }

  test.each(callers)('is the same for all of them, %o', async (caller) => {
    const { rates, id, made, before, first } = await start()
    await rates.update(id, { value: 2 }, red)
    for (const to of [first, made]) {
      expect(await rates.revert(id, { to, dryRun: true, ...caller }), String(to)).toMatchObject({ value: 1 })
      expect((await rates.get(id))?.value).toBe(2)
    }
    expect((await rates.asOf(first).get(id, caller))?.value).toBe(1)
    expect(await rejectionOf(rates.revert(id, { to: before, ...caller }))).toMatchObject({ code: 'state_conflict' })
  })

  // Whoever belongs nowhere finds nothing in the log.
  test.each(callers.filter((caller) => caller.principal?.id !== 3))(
    'is not undone where another tenant has changed it later, %o',
    async (caller) => {
      const { rates, storage, id } = await start()
      await rates.update(id, { value: 2 }, { ...caller, requestId: 'mine' })
      await rates.update(id, { value: 3 }, { principal: { id: 5, tenant: 'green' } })
      const report = await storage.revert({ requestId: 'mine' }, caller)
      expect(report).toMatchObject({
        applied: false,
        conflictCount: 1,
        conflicts: [{ component: 'rates', recordId: id, reason: 'changed_later' }],
      })
      expect((await rates.get(id))?.value).toBe(3)
    },
  )
})
