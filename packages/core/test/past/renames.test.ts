import { defineAccess, defineModel, ModelAccessor, openStorage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { laterThan } from './clock.ts'

const Before = defineModel('people', { name: Type.String(), price: Type.Optional(Type.Integer()) }, { softDelete: true })
const After = defineModel(
  'people',
  { legal_name: Type.String(), name: Type.Optional(Type.String()), cost: Type.Optional(Type.Integer()) },
  { softDelete: true, schemaVersion: 2, renamedFields: { legal_name: 'name', cost: 'price' } },
)

describeEngines('the past of a model whose fields had other names', (engine) => {
  test('is told under the names of today, and a record goes back to it', async () => {
    const url = await engine.freshUrl()
    const old = new ModelAccessor(Before, 'people')
    const first = await openStorage({ url, accessors: [old] })
    const { id } = await old.insert({ name: 'Ann', price: 1 }, { requestId: 'made' })
    const gone = await old.insert({ name: 'Bob', price: 7 })
    const made = await laterThan()
    await laterThan(made)
    await old.update(id, { name: 'Anna', price: 2 }, { requestId: 'changed' })
    await old.purge(gone.id)
    await first.close()

    const people = new ModelAccessor(After, 'people')
    const storage = await openStorage({
      url,
      accessors: [people],
      access: [defineAccess(After, { read: true, fields: { cost: { read: 'boss' } } })],
      migrations: [
        {
          name: '001_names',
          up: async (db) => {
            await db.schema.alterTable('people').renameColumn('price', 'cost').execute()
            await db.schema.alterTable('people').renameColumn('name', 'legal_name').execute()
          },
        },
      ],
    })
    onTestFinished(() => storage.close())
    expect(await people.asOf(made).get(id)).toMatchObject({ legal_name: 'Ann', name: null, cost: 1 })
    expect(await people.asOf(made).find({ where: { cost: { gte: 1 } }, orderBy: '-legal_name' })).toMatchObject([
      { legal_name: 'Bob' },
      { legal_name: 'Ann' },
    ])
    expect((await people.diff(id, { from: made }))?.changes).toEqual([
      { field: 'legal_name', from: 'Ann', to: 'Anna' },
      { field: 'cost', from: 1, to: 2 },
    ])
    // Old names hide what new ones do.
    const clerk = { principal: { id: 1, roles: ['clerk'] } }
    const told = JSON.stringify([await people.history(id, clerk), await people.asOf(made).get(id, clerk)])
    expect(told).not.toMatch(/price|cost/)
    await storage.actingAs(clerk, async () => expect(JSON.stringify(await storage.audit.find())).not.toMatch(/price|cost/))

    expect(await people.revert(gone.id, { to: made })).toMatchObject({ legal_name: 'Bob', cost: 7 })
    expect((await storage.revert({ requestId: 'changed' })).components).toMatchObject([{ updated: 1 }])
    expect(await people.get(id)).toMatchObject({ legal_name: 'Ann', name: null, cost: 1 })
    await people.update(id, { name: 'nick' })
    expect(await people.revert(id, { to: (await people.history(id)).at(-1)?.id ?? 0 })).toMatchObject({ legal_name: 'Ann', name: 'nick' })
  })
})
