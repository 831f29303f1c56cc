import {
  type AnyModel,
  defineModel,
  ForbiddenError,
  ModelAccessor,
  openStorage,
  type Principal,
  Ref,
  type Storage,
  UsageError,
  ValidationError,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everyOf, rejectionOf } from '../support.ts'
import { csv } from '../transfer/import-support.ts'

const Customer = defineModel(
  'customers',
  { org: Type.String({ maxLength: 50 }), email: Type.String() },
  { tenant: 'org', unique: [['org', 'email']], softDelete: true },
)
const Order = defineModel(
  'orders',
  { org: Type.String({ maxLength: 50 }), customer_id: Ref(() => Customer, { onDelete: 'cascade' }), total: Type.Integer() },
  { tenant: 'org' },
)
const Badge = defineModel(
  'badges',
  { org: Type.String({ maxLength: 50 }), code: Type.String() },
  { tenant: 'org', unique: [['code']], softDelete: true },
)
const Note = defineModel('notes', { text: Type.String() })
const Step = defineModel(
  'steps',
  { org: Type.String({ maxLength: 50 }), next_id: Type.Optional(Ref((): AnyModel<number> => Step)) },
  { tenant: 'org' },
)

const red: Principal = { id: 1, tenant: 'red' }
const blue: Principal = { id: 2, tenant: 'blue' }
const nowhere: Principal = { id: 3 }
const everywhere: Principal = { id: 4, tenant: '*' }

describeEngines('tenancy', (database) => {
  const customers = new ModelAccessor(Customer, 'customers')
  const orders = new ModelAccessor(Order, 'orders')
  const badges = new ModelAccessor(Badge, 'badges')
  const notes = new ModelAccessor(Note, 'notes')
  const steps = new ModelAccessor(Step, 'steps')
  let storage: Storage

  beforeAll(async () => {
    const opened = await openStorage({ url: await database.freshUrl(), accessors: [customers, orders, badges, notes, steps] })
    storage = opened as unknown as Storage
    await customers.insert({ email: 'a@example.com' }, { principal: red })
    await customers.insert({ email: 'b@example.com' }, { principal: blue })
    await orders.insert({ customer_id: 1, total: 10 }, { principal: red })
    await orders.insert({ customer_id: 2, total: 20 }, { principal: blue })
  })

  afterAll(() => storage.close())

  test('a new record belongs to the tenant of whoever makes it, whatever it says', async () => {
    expect(await customers.get(1)).toMatchObject({ org: 'red' })
    const stranger = await rejectionOf(customers.insert({ org: 'blue', email: 'c@example.com' }, { principal: red }))
    expect(stranger).toMatchObject({ issues: [{ path: 'org', message: 'must be your own tenant; leave it out' }] })
    expect(await rejectionOf(customers.update(1, { org: 'blue' } as never, { principal: red }))).toBeInstanceOf(ValidationError)
  })

  test('every way of reading is held to the tenant', async () => {
    const principal = red
    expect(await customers.find({ principal })).toHaveLength(1)
    expect(await customers.get(2, { principal })).toBeNull()
    expect(await customers.count({}, { principal })).toBe(1)
    expect(await customers.page({ principal })).toMatchObject({ total: 1 })
    expect(await orders.aggregate({ measures: ['sum:total'], principal })).toEqual([{ sum_total: 10 }])
    expect(await everyOf(orders.stream({ principal }))).toHaveLength(1)
    expect(await customers.find({ principal, include: { orders: true } })).toMatchObject([{ orders: [{ total: 10 }] }])
    expect(await customers.count({}, { tenant: 'blue' })).toBe(1)
  })

  test('every way of writing is held to the tenant', async () => {
    const principal = red
    expect(await rejectionOf(customers.update(2, { email: 'x' }, { principal }))).toMatchObject({ code: 'not_found' })
    expect(await customers.delete(2, { principal })).toBe(false)
    expect(await customers.purge(2, { principal })).toBe(false)
    expect(await customers.updateMany({}, { email: 'same@example.com' }, { principal, dryRun: true })).toHaveLength(1)
    expect(await customers.deleteMany({}, { principal, dryRun: true })).toBe(1)
  })

  test("a record cannot point to another tenant's, which is as if it were not there", async () => {
    const foreign = await rejectionOf(orders.insert({ customer_id: 2, total: 1 }, { principal: red }))
    const missing = await rejectionOf(orders.insert({ customer_id: 99, total: 1 }, { principal: red }))
    expect(foreign).toMatchObject({ code: 'reference_conflict' })
    expect(String(foreign)).toBe(String(missing))
    expect(await rejectionOf(orders.update(1, { customer_id: 2 }, { principal: red }))).toMatchObject({ code: 'reference_conflict' })
  })

  test('of a record whose id and key are both another tenant’s, the id is told first', async () => {
    const { id } = await badges.insert({ code: 'A1' }, { principal: blue })
    const refused = await rejectionOf(badges.insert({ id, code: 'A1' }, { principal: red }))
    expect(refused).toMatchObject({ code: 'unique_conflict', fields: ['id'] })
  })

  test('a key that names the tenant is unique for each tenant', async () => {
    expect(await customers.insert({ email: 'b@example.com' }, { principal: red, dryRun: true })).toMatchObject({ org: 'red' })
    expect(await rejectionOf(customers.insert({ email: 'a@example.com' }, { principal: red }))).toMatchObject({ code: 'unique_conflict' })
  })

  test('a conflict within a tenant names the key without it, and tells nothing of another’s', async () => {
    const own = await rejectionOf(customers.insert({ email: 'a@example.com' }, { principal: red }))
    expect(own).toMatchObject({ fields: ['email'], message: 'Another record of customers has the same email.' })
    const named = await rejectionOf(customers.insert({ org: 'red', email: 'a@example.com' }))
    expect(named).toMatchObject({ fields: ['org', 'email'] })
    const moved = await customers.insert({ email: 'z@example.com' }, { principal: red })
    expect(await rejectionOf(customers.update(moved.id, { email: 'a@example.com' }, { principal: red }))).toMatchObject({
      fields: ['email'],
    })
    expect(await customers.update(moved.id, { email: 'b@example.com' }, { principal: red, dryRun: true })).toMatchObject({ org: 'red' })
    await customers.purge(moved.id)
  })

  test('an upsert by a key within the tenant finds its own records, and makes its own', async () => {
    const rows = [{ email: 'a@example.com' }, { email: 'b@example.com' }]
    for (const on of [['email'], ['org', 'email'], ['email', 'org']] as const) {
      const saved = await customers.upsertMany(rows, { on: [...on], principal: red, dryRun: true })
      expect(saved).toMatchObject([
        { id: 1, org: 'red', email: 'a@example.com' },
        { org: 'red', email: 'b@example.com' },
      ])
      expect(saved[1]?.id).not.toBe(2)
    }
    const strange = customers.upsertMany([{ org: 'blue', email: 'b@example.com' }], { on: ['email'], principal: red })
    expect(await rejectionOf(strange)).toMatchObject({ issues: [{ path: 'org', message: 'must be your own tenant; leave it out' }] })
    expect(await rejectionOf(customers.upsertMany(rows, { on: ['email'] }))).toMatchObject({
      issues: [{ path: '0.org', message: 'is needed to find the record' }],
    })
    expect(await rejectionOf(customers.upsertMany(rows, { on: ['org'] as never, principal: red }))).toMatchObject({
      code: 'invalid_options',
    })
  })

  test('many upserts of one key at once, within two tenants, make one record in each', async () => {
    const callers = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? red : blue))
    const saved = await Promise.all(
      callers.map((principal) => customers.upsertMany([{ email: 'race@example.com' }], { on: ['email'], principal })),
    )
    expect(new Set(saved.flat().map(({ id, org }) => `${org} ${id}`)).size).toBe(2)
    await customers.purgeMany({ email: 'race@example.com' })
  })

  test('rows of an import are its tenant’s, whatever others have under the same key', async () => {
    await storage.actingAs({ principal: red }, async () => {
      expect(await storage.import({ customers: csv('email', 'b@example.com') }, { dryRun: true })).toMatchObject({ errorCount: 0 })
      const taken = await storage.import({ customers: csv('email', 'a@example.com') })
      expect(taken).toMatchObject({ applied: false, errors: [{ message: expect.stringContaining('has the same email') }] })
      const strange = await storage.import({ customers: csv('org,email', 'blue,q@example.com') })
      expect(strange).toMatchObject({ applied: false, errorCount: 1 })
    })
  })

  test('a row of an import does not wait for another tenant’s record, which is as if it were not there', async () => {
    await steps.insert({ id: 7 } as never, { principal: blue })
    await storage.actingAs({ principal: red }, async () => {
      const report = await storage.import({ steps: csv('id,next_id', '20,21', '21,7', '22,20') })
      expect(report).toMatchObject({ applied: false, errorCount: 1 })
      expect(report.errors).toEqual([
        { file: 'steps', line: 3, field: 'next_id', message: 'next_id points to a record of steps that does not exist.' },
      ])
      expect(await storage.import({ steps: csv('id,next_id', '20,21', '21,') })).toMatchObject({ applied: true, errorCount: 0 })
      await steps.purgeMany([20, 21])
    })
  })

  test('a record that was one’s own once, and whose id another tenant’s has now, does not come back there', async () => {
    const { transaction_id: made } = await storage.transaction(
      async () => {
        await steps.insert({ id: 70 } as never)
        const [entry] = await storage.audit.find({ component: 'steps', record_id: 70 })
        return entry as { id: number; transaction_id: string }
      },
      { principal: red },
    )
    const [first] = await storage.audit.find({ component: 'steps', record_id: 70 })
    await steps.purge(70, { principal: red })
    await steps.insert({ id: 70 } as never, { principal: blue, actor: 'stranger' })
    const reverted = steps.revert(70, { to: Number(first?.id), principal: red })
    expect(await rejectionOf(reverted)).toMatchObject({ code: 'not_found', message: 'steps has no record 70.' })
    await storage.audit.waitUntilSealed()
    const undone = await storage.revert({ batch: made }, { principal: red, conflicts: 'skip' })
    expect(JSON.stringify(undone)).not.toContain('stranger')
    expect(await steps.get(70)).toMatchObject({ org: 'blue' })
    await steps.purge(70)
  })

  test('what another tenant’s record points to, which code for all tenants has made, is not removed, and is told by its reference', async () => {
    const customer = await customers.insert({ email: 'shared@example.com' }, { principal: red })
    const order = await orders.insert({ org: 'blue', customer_id: customer.id, total: 1 }, { principal: everywhere })
    const one = (): Promise<unknown> => customers.purge(customer.id, { principal: red })
    const many = (): Promise<unknown> => customers.purgeMany([customer.id], { principal: red })
    for (const remove of [one, many]) {
      expect(await rejectionOf(remove())).toMatchObject({
        code: 'reference_conflict',
        fields: ['customer_id'],
        message: 'customers cannot be removed while orders (customer_id) points to it, deleted records included.',
      })
    }
    await orders.purge(order.id)
    expect(await customers.purge(customer.id, { principal: red })).toBe(true)
  })

  test('whoever belongs to no tenant has nothing, and whoever works for all of them everything', async () => {
    expect(await customers.count({}, { principal: nowhere })).toBe(0)
    expect(await rejectionOf(customers.insert({ email: 'n@example.com' }, { principal: nowhere }))).toBeInstanceOf(ForbiddenError)
    expect(await notes.insert({ text: 'x' }, { principal: nowhere, dryRun: true })).toMatchObject({ text: 'x' })
    expect(await customers.count({}, { principal: everywhere })).toBe(2)
    const named = customers.insert({ org: 'green', email: 'g@example.com' }, { principal: everywhere, dryRun: true })
    expect(await named).toMatchObject({ org: 'green' })
  })

  test('nobody gets out of the tenant of a transaction by naming another principal', async () => {
    const seen = await storage.transaction(() => customers.count({}, { principal: blue }), { tenant: 'red' })
    expect(seen).toBe(1)
  })

  test('audit entries name the tenant of the record', async () => {
    await customers.insert({ org: 'green', email: 'g@example.com' })
    const [entry] = await storage.audit.find({ component: 'customers', limit: 1 })
    expect(entry).toMatchObject({ tenant: 'green', operation: 'create' })
    const seen = await storage.actingAs({ principal: blue }, () => everyOf(storage.audit.stream()))
    expect(new Set(seen.map(({ tenant }) => tenant))).toEqual(new Set(['blue']))
  })

  test('a purge of many cascades within the tenant alone', async () => {
    expect(await customers.purgeMany({}, { principal: blue, dryRun: true })).toBe(1)
  })
})

describe('the field of the tenant', () => {
  test.each([
    ['is one of the model', { name: Type.String() }, 'org'],
    ['cannot be optional', { org: Type.Optional(Type.String()) }, 'org'],
    ['is no number with a fraction', { org: Type.Number() }, 'org'],
  ])('%s', (_what, fields, tenant) => {
    expect(() => defineModel('things', fields, { tenant } as never)).toThrow(UsageError)
  })
})
