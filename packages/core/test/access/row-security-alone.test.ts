import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineModel, ModelAccessor, type Principal, Ref, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, expect, test, vi } from 'vitest'
import { everyOf, rejectionOf, storagesOn } from '../support.ts'

// Somebody has forgotten the tenants: no statement has a condition for them any more. What is left is the database's own line.
vi.mock('../../src/query/scope.ts', async (original) => ({
  ...(await original<object>()),
  scope: () => ({ type: 'and', parts: [] }),
}))
vi.mock('../../src/access/audit-access.ts', async (original) => ({
  ...(await original<object>()),
  readableEntries: () => ({ type: 'and', parts: [] }),
}))

const Customer = defineModel('customers', { org: Type.String(), email: Type.String() }, { tenant: 'org', softDelete: true })
const Order = defineModel(
  'orders',
  { org: Type.String(), customer_id: Ref(() => Customer, { onDelete: 'cascade' }), total: Type.Integer() },
  { tenant: 'org' },
)

const principal: Principal = { id: 1, tenant: 'red' }

describeEngines('without the conditions of the statements', (database) => {
  const open = storagesOn(database, 'suite')
  const customers = new ModelAccessor(Customer, 'customers')
  const orders = new ModelAccessor(Order, 'orders')
  /** How many of two tenants' rows are seen: that both are without row security shows that the conditions are gone. */
  const own = database.has('rowSecurity') ? 1 : 2
  let storage: Storage

  beforeAll(async () => {
    storage = await open([customers, orders])
    for (const tenant of ['red', 'blue']) {
      const { id } = await customers.insert({ email: 'a@example.com' }, { tenant })
      await orders.insert({ customer_id: id, total: 10 }, { tenant })
    }
  })

  test('every way of reading has the rows of the tenant', async () => {
    expect(await customers.find({ principal })).toHaveLength(own)
    expect(await customers.get(2, { principal })).toEqual(own === 1 ? null : expect.objectContaining({ org: 'blue' }))
    expect(await customers.count({}, { principal })).toBe(own)
    expect(await customers.page({ principal })).toMatchObject({ total: own })
    expect(await orders.aggregate({ measures: ['sum:total'], principal })).toEqual([{ sum_total: 10 * own }])
    expect(await everyOf(orders.stream({ principal }))).toHaveLength(own)
    expect(await orders.find({ principal, include: { customer: true } })).toHaveLength(own)
    await storage.transaction(async () => expect(await orders.find({ principal })).toHaveLength(own))
    await storage.transaction(async () => expect(await orders.find()).toHaveLength(own), { principal })
  })

  test('so has every way of writing', async () => {
    const dry = { principal, dryRun: true }
    const changes = orders.updateMany({}, { total: 1 }, dry)
    // Where the other tenant's row is found, it is seen to be a stranger's before it is written.
    if (own === 1) expect(await changes).toMatchObject([{ org: 'red' }])
    else expect(await rejectionOf(changes)).toMatchObject({ code: 'validation_failed' })
    expect(await orders.deleteMany({}, dry)).toBe(own)
    expect(await customers.purgeMany({}, dry)).toBe(own)
    const points = orders.insert({ customer_id: 2, total: 1 }, dry)
    if (own === 1) expect(await rejectionOf(points)).toMatchObject({ code: 'reference_conflict' })
    else expect(await points).toMatchObject({ customer_id: 2 })
  })

  test('and so have the log and exports', async () => {
    await storage.actingAs({ principal }, async () => {
      expect(await storage.audit.find()).toHaveLength(2 * own)
      expect(await storage.audit.count()).toBe(2 * own)
      expect((await storage.audit.page()).entries).toHaveLength(2 * own)
      expect(await everyOf(storage.audit.stream())).toHaveLength(2 * own)
      const folder = await mkdtemp(join(tmpdir(), 'strongroom-alone-'))
      const { files } = await storage.export(join(folder, 'export.zip'))
      expect(files.map(({ table, rows }) => [table, rows])).toEqual([
        ['customers', own],
        ['orders', own],
        ['strongroom_audit_log', 2 * own],
      ])
    })
  })
})
