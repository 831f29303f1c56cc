import { type AnyModel, type AuditEntry, ConflictError, defineModel, ModelAccessor, Ref, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const optional = Type.Optional
const Company = defineModel(
  'companies',
  { name: Type.String(), vat: optional(Type.String()), land: optional(Type.String()) },
  { softDelete: true, unique: [['name'], ['vat', 'land']] },
)
const Lock = defineModel('locks', { company_id: Ref(() => Company) }, { softDelete: true })
const Team = defineModel(
  'teams',
  { name: Type.String(), company_id: Ref(() => Company, { onDelete: 'cascade' }) },
  { softDelete: true, stamps: true },
)
const Member = defineModel('members', { name: Type.String(), team_id: Ref(() => Team, { onDelete: 'cascade' }) })
const Badge = defineModel(
  'badges',
  { member_id: optional(Ref(() => Member, { onDelete: 'setNull' })), team_id: optional(Ref(() => Team, { onDelete: 'setNull' })) },
  { id: 'uuid', stamps: true },
)
const Task = defineModel('tasks', {
  name: Type.String(),
  parent: optional(Ref((): AnyModel<number> => Task, { onDelete: 'cascade' })),
  after: optional(Ref((): AnyModel<number> => Task, { onDelete: 'setNull' })),
})
const Couple = defineModel('couples', { partner: optional(Ref((): AnyModel<number> => Couple)) })
const Left = defineModel('lefts', { right: optional(Ref((): AnyModel<number> => Right, { onDelete: 'cascade' })) })
const Right = defineModel('rights', { left: optional(Ref((): AnyModel<number> => Left, { onDelete: 'cascade' })) })
const Order = defineModel('orders', { company_id: Ref(() => Company, { onDelete: 'cascade' }) })
const Invoice = defineModel('invoices', { order_id: Ref(() => Order, { onDelete: 'cascade' }), company_id: Ref(() => Company) })

const Station = defineModel(
  'stations',
  { name: Type.String(), call: Type.String() },
  { id: { name: 'code', type: 'text' }, unique: [['name'], ['call']] },
)

function makeAccessors() {
  return {
    stations: new ModelAccessor(Station, 'stations'),
    companies: new ModelAccessor(Company, 'companies'),
    locks: new ModelAccessor(Lock, 'locks'),
    teams: new ModelAccessor(Team, 'teams'),
    members: new ModelAccessor(Member, 'members'),
    badges: new ModelAccessor(Badge, 'badges'),
    tasks: new ModelAccessor(Task, 'tasks'),
    couples: new ModelAccessor(Couple, 'couples'),
    lefts: new ModelAccessor(Left, 'lefts'),
    rights: new ModelAccessor(Right, 'rights'),
    orders: new ModelAccessor(Order, 'orders'),
    invoices: new ModelAccessor(Invoice, 'invoices'),
  }
}

describeEngines('conflicts', (engine) => {
  const open = storagesOn(engine)
  let to: ReturnType<typeof makeAccessors>
  let storage: Storage

  beforeEach(async () => {
    to = makeAccessors()
    storage = await open(Object.values(to))
  })

  /** What the log says since an entry: `operation component:id`, in the order of the entries. */
  const logSince = async (id: number): Promise<string[]> =>
    (await storage.audit.find())
      .filter((entry: AuditEntry) => entry.id > id)
      .reverse()
      .map((entry: AuditEntry) => `${entry.operation} ${entry.component}:${entry.record_id}`)
  const newest = async (): Promise<number> => (await storage.audit.findOne())?.id ?? 0

  describe('unique', () => {
    test('a conflict names the fields: in an insert, a batch, an update and a save', async () => {
      await to.companies.insertMany([{ name: 'A', vat: '1', land: 'DE' }, { name: 'B' }])
      const writes: [() => Promise<unknown>, string[]][] = [
        [() => to.companies.insert({ name: 'A' }), ['name']],
        [() => to.companies.insert({ name: 'C', vat: '1', land: 'DE' }), ['vat', 'land']],
        [() => to.companies.insertMany([{ name: 'C' }, { name: 'D' }, { name: 'B' }]), ['name']],
        [() => to.companies.insertMany([{ name: 'C' }, { name: 'C' }]), ['name']],
        [() => to.companies.update(2, { name: 'A' }), ['name']],
        [() => to.companies.updateMany({}, { name: 'Z' }), ['name']],
        [() => to.companies.save({ id: 2, vat: '1', land: 'DE' }), ['vat', 'land']],
        [() => to.companies.insert({ id: 1, name: 'E' }), ['id']],
      ]
      for (const [write, fields] of writes) {
        const error = await rejectionOf(write())
        expect(error).toBeInstanceOf(ConflictError)
        expect(error).toMatchObject({ code: 'unique_conflict', fields, status: 409 })
      }
      expect([await to.companies.count(), await storage.audit.count()]).toEqual([2, 2])
    })

    test('of several keys at once names the first: the id, then the keys of the model in their order', async () => {
      await to.companies.insertMany([{ name: 'A', vat: '1', land: 'DE' }, { name: 'B' }])
      await to.stations.insert({ code: 'X', name: 'A', call: 'c' })
      await to.stations.insert({ code: 'Y', name: 'B', call: 'd' })
      const writes: [() => Promise<unknown>, string[]][] = [
        [() => to.companies.insert({ name: 'A', vat: '1', land: 'DE' }), ['name']],
        [() => to.companies.insert({ id: 1, name: 'B', vat: '1', land: 'DE' }), ['id']],
        [() => to.companies.save({ id: 9, name: 'B', vat: '1', land: 'DE' }), ['name']],
        [() => to.companies.update(2, { name: 'A', vat: '1', land: 'DE' }), ['name']],
        [() => to.stations.insert({ code: 'X', name: 'A', call: 'c' }), ['code']],
        [() => to.stations.insert({ code: 'Z', name: 'B', call: 'c' }), ['name']],
        [() => to.stations.update('Y', { name: 'A', call: 'c' }), ['name']],
        [() => to.stations.update('Y', { name: 'B', call: 'c' }), ['call']],
      ]
      for (const [write, fields] of writes) expect(await rejectionOf(write())).toMatchObject({ code: 'unique_conflict', fields })
    })

    test('null is no conflict with null', async () => {
      await to.companies.insertMany([{ name: 'A', vat: '1' }, { name: 'B', vat: '1' }, { name: 'C' }, { name: 'D' }])
      expect(await to.companies.count()).toBe(4)
    })

    test('text differs where its bytes differ', async () => {
      await to.companies.insertMany([{ name: 'é' }, { name: 'É' }, { name: 'e\u0301' }, { name: 'é ' }, { name: '' }])
      expect(await to.companies.count()).toBe(5)
    })

    test('of many at once that want the same name, one has it', async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: 16 }, () => to.companies.insert({ name: 'same' })))
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'unique_conflict', fields: ['name'] })
      expect([await to.companies.count(), await storage.audit.count()]).toEqual([1, 1])
    })

    test('two live records can swap a name through a third', async () => {
      await to.companies.insertMany([{ name: 'A' }, { name: 'B' }])
      await storage.transaction(async () => {
        await to.companies.update(1, { name: 'tmp' })
        await to.companies.update(2, { name: 'A' })
        await to.companies.update(1, { name: 'B' })
      })
      expect((await to.companies.all()).map((row) => row.name)).toEqual(['B', 'A'])
    })
  })

  describe('references', () => {
    test('to nobody are refused by name: in an insert, a batch, an update and a save', async () => {
      await to.companies.insert({ name: 'A' })
      const team = await to.teams.insert({ name: 't', company_id: 1 })
      for (const write of [
        () => to.teams.insert({ name: 'u', company_id: 99 }),
        () =>
          to.teams.insertMany([
            { name: 'u', company_id: 1 },
            { name: 'v', company_id: 99 },
          ]),
        () => to.teams.update(team.id, { company_id: 99 }),
        () => to.teams.updateMany({}, { company_id: 99 }),
        () => to.teams.save({ id: team.id, company_id: 99 }),
      ]) {
        const error = await rejectionOf(write())
        expect(error).toBeInstanceOf(ConflictError)
        expect(error).toMatchObject({ code: 'reference_conflict', fields: ['company_id'], status: 409 })
      }
      expect([await to.teams.count(), await storage.audit.count()]).toEqual([1, 2])
    })

    test('of several to nobody name the one that points nowhere', async () => {
      await to.companies.insert({ name: 'A' })
      const order = await to.orders.insert({ company_id: 1 })
      expect(await rejectionOf(to.invoices.insert({ order_id: order.id, company_id: 9 }))).toMatchObject({ fields: ['company_id'] })
      expect(await rejectionOf(to.invoices.insert({ order_id: 9, company_id: 1 }))).toMatchObject({ fields: ['order_id'] })
    })

    test('to records of the same batch and to oneself are fine', async () => {
      await to.tasks.insertMany([
        { id: 10, name: 'child', parent: 11 },
        { id: 11, name: 'parent', parent: 11 },
      ])
      expect(await to.tasks.count()).toBe(2)
    })

    test('of the wrong shape are no conflict but invalid', async () => {
      expect(await rejectionOf(to.teams.insert({ name: 't', company_id: '1' as never }))).toMatchObject({
        code: 'validation_failed',
        issues: [{ path: 'company_id' }],
      })
      expect(await rejectionOf(to.teams.insert({ name: 't' } as never))).toMatchObject({ issues: [{ path: 'company_id' }] })
    })
  })

  describe('restrict', () => {
    beforeEach(async () => {
      await to.companies.insertMany([{ name: 'A' }, { name: 'B' }])
      await to.locks.insert({ company_id: 1 })
    })

    test('keeps a record that is pointed to: from delete, deleteMany and purge', async () => {
      for (const write of [
        () => to.companies.delete(1),
        () => to.companies.deleteMany([2, 1]),
        () => to.companies.deleteMany({}),
        () => to.companies.purge(1),
      ]) {
        const error = await rejectionOf(write())
        expect(error).toMatchObject({ code: 'reference_conflict', fields: ['company_id'] })
        expect(String(error)).toContain('locks')
      }
      expect([await to.companies.count(), await storage.audit.count()]).toEqual([2, 3])
    })

    test('counts live records: a deleted one lets a soft delete pass, but keeps the row', async () => {
      await to.locks.delete(1)
      expect(await to.companies.delete(1)).toBe(true)
      expect(await rejectionOf(to.companies.purge(1))).toMatchObject({ code: 'reference_conflict', fields: ['company_id'] })
      await to.locks.purge(1)
      expect(await to.companies.purge(1)).toBe(true)
    })

    test('does not hold where the restricting record goes too', async () => {
      const order = await to.orders.insert({ company_id: 2 })
      await to.invoices.insert({ order_id: order.id, company_id: 2 })
      expect(await to.companies.delete(2)).toBe(true)
      expect([await to.orders.count(), await to.invoices.count()]).toEqual([0, 0])
    })

    test('of several broken references the first record’s first one is told', async () => {
      await to.orders.insert({ company_id: 1 })
      const broken = to.invoices.insertMany([
        { order_id: 1, company_id: 7 },
        { order_id: 8, company_id: 1 },
      ])
      expect(await rejectionOf(broken)).toMatchObject({ code: 'reference_conflict', fields: ['company_id'] })
    })

    test('a record may point to itself, and two to each other, and go', async () => {
      await to.couples.insertMany([
        { id: 1, partner: 1 },
        { id: 2, partner: 3 },
        { id: 3, partner: 2 },
      ])
      expect(await to.couples.delete(1)).toBe(true)
      expect(await rejectionOf(to.couples.delete(2))).toMatchObject({ code: 'reference_conflict', fields: ['partner'] })
      expect(await to.couples.deleteMany([2, 3])).toBe(2)
      expect(await to.couples.count()).toBe(0)
    })

    test('a batch of any size may hold both ends', async () => {
      const size = 600
      await to.couples.insertMany(Array.from({ length: size }, (_, index) => ({ id: index + 1, partner: ((index + 1) % size) + 1 })))
      expect(await to.couples.deleteMany({})).toBe(size)
      expect(await storage.audit.count({ component: 'couples', operation: 'delete' })).toBe(size)
    })
  })

  describe('cascade', () => {
    beforeEach(async () => {
      await to.companies.insertMany([{ name: 'A' }, { name: 'B' }])
      await to.teams.insertMany([
        { name: 't1', company_id: 1 },
        { name: 't2', company_id: 1 },
        { name: 't3', company_id: 2 },
      ])
      await to.members.insertMany([
        { name: 'm1', team_id: 1 },
        { name: 'm2', team_id: 2 },
        { name: 'm3', team_id: 3 },
      ])
    })

    test('a soft delete marks the children that can be marked, removes the others, several levels down', async () => {
      const start = await newest()
      expect(await to.companies.delete(1, { actor: 'ann' })).toBe(true)
      expect((await logSince(start)).toSorted()).toEqual([
        'delete members:1',
        'delete members:2',
        'soft_delete companies:1',
        'soft_delete teams:1',
        'soft_delete teams:2',
      ])
      expect((await storage.audit.find({ limit: 5 })).every((entry) => entry.actor === 'ann')).toBe(true)
      expect(await to.teams.get(1, { includeDeleted: true })).toMatchObject({ deleted_at: expect.any(Date), updated_by: 'ann' })
      expect((await to.members.all()).map((row) => row.id)).toEqual([3])
    })

    test('a purge removes the children, deleted ones too', async () => {
      await to.teams.delete(1)
      const start = await newest()
      expect(await to.companies.purge(1)).toBe(true)
      expect((await logSince(start)).toSorted()).toEqual(['delete members:2', 'purge companies:1', 'purge teams:1', 'purge teams:2'])
      expect(await to.teams.count(undefined, { includeDeleted: true })).toBe(1)
    })

    test('calls the hooks of what goes with it, and a throw there keeps everything', async () => {
      const seen: string[] = []
      to.teams.beforeDelete(({ record, operation }) => void seen.push(`${operation} ${record.name}`))
      to.members.afterDelete(({ record, operation }) => {
        seen.push(`${operation} ${record.name}`)
        if (record.name === 'm3') throw new Error('m3 stays')
      })
      await to.companies.delete(1)
      expect(seen.toSorted()).toEqual(['delete m1', 'delete m2', 'soft_delete t1', 'soft_delete t2'])
      const start = await newest()
      expect(await rejectionOf(to.companies.delete(2))).toMatchObject({ message: 'm3 stays' })
      expect([await to.members.count(), await to.teams.count(), await to.companies.count()]).toEqual([1, 1, 1])
      expect(await logSince(start)).toEqual([])
    })

    test('follows a model to itself, through circles, once for each record', async () => {
      await to.tasks.insertMany([
        { id: 1, name: 'root' },
        { id: 2, name: 'child', parent: 1 },
        { id: 3, name: 'grandchild', parent: 2 },
        { id: 4, name: 'self', parent: 4 },
        { id: 5, name: 'ring a', parent: 6 },
        { id: 6, name: 'ring b', parent: 5 },
      ])
      const start = await newest()
      expect([await to.tasks.delete(1), await to.tasks.delete(4), await to.tasks.delete(5)]).toEqual([true, true, true])
      expect((await logSince(start)).toSorted()).toEqual([1, 2, 3, 4, 5, 6].map((id) => `delete tasks:${id}`))
    })

    test('goes through circles of two models', async () => {
      const left = await to.lefts.insert({})
      const right = await to.rights.insert({ left: left.id })
      await to.lefts.update(left.id, { right: right.id })
      const start = await newest()
      expect(await to.lefts.delete(left.id)).toBe(true)
      expect((await logSince(start)).toSorted()).toEqual(['delete lefts:1', 'delete rights:1'])
      const entry = await storage.audit.findOne({ component: 'lefts', operation: 'delete' })
      expect(entry?.before).toEqual({ id: left.id, right: right.id })
    })
  })

  describe('setNull', () => {
    beforeEach(async () => {
      await to.companies.insert({ name: 'A' })
      await to.teams.insert({ name: 't1', company_id: 1 })
      await to.members.insertMany([
        { name: 'm1', team_id: 1 },
        { name: 'm2', team_id: 1 },
      ])
    })

    test('empties the field, with hooks, stamps and an entry', async () => {
      const badge = await to.badges.insert({ member_id: 1 })
      const seen: unknown[] = []
      to.badges.afterUpdate(({ record, previous }) => void seen.push([previous?.member_id, record.member_id]))
      await to.members.delete(1, { actor: 'ann' })
      expect(await to.badges.get(badge.id)).toMatchObject({ member_id: null, updated_by: 'ann' })
      expect(await storage.audit.findOne({ component: 'badges' })).toMatchObject({
        operation: 'update',
        before: { member_id: 1 },
        after: { member_id: null },
        actor: 'ann',
      })
      expect(seen).toEqual([[1, null]])
    })

    test('of two references that go at once leaves one entry', async () => {
      const badge = await to.badges.insert({ member_id: 1, team_id: 1 })
      const start = await newest()
      await to.companies.purge(1)
      expect(await to.badges.get(badge.id)).toMatchObject({ member_id: null, team_id: null })
      expect((await logSince(start)).filter((line) => line.includes('badges'))).toEqual([`update badges:${badge.id}`])
    })

    test('of a record that goes too leaves its delete alone', async () => {
      await to.tasks.insertMany([
        { id: 1, name: 'root' },
        { id: 2, name: 'child', parent: 1, after: 1 },
        { id: 3, name: 'grandchild', parent: 2, after: 1 },
        { id: 4, name: 'stays', after: 3 },
      ])
      const start = await newest()
      expect(await to.tasks.delete(1)).toBe(true)
      expect((await logSince(start)).toSorted()).toEqual(['delete tasks:1', 'delete tasks:2', 'delete tasks:3', 'update tasks:4'])
      expect(await to.tasks.all()).toEqual([{ id: 4, name: 'stays', parent: null, after: null }])
    })

    test('at a soft delete empties the field too', async () => {
      const badge = await to.badges.insert({ team_id: 1 })
      await to.teams.delete(1)
      expect(await to.badges.get(badge.id)).toMatchObject({ team_id: null })
    })
  })

  describe('record limit', () => {
    test('is kept exactly by inserts at once', async () => {
      const companies = new ModelAccessor(Company, 'companies')
      const limited = await open([companies], { maxRecordsPerModel: 10 })
      await companies.insertMany(Array.from({ length: 5 }, (_, index) => ({ name: `old${index}` })))
      const outcomes = await Promise.allSettled(Array.from({ length: 32 }, (_, index) => companies.insert({ name: `new${index}` })))
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(5)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'record_limit', status: 409 })
      expect([await companies.count(), await limited.audit.count()]).toEqual([10, 10])
    })

    test('holds for a dry run too, alone and inside a transaction', async () => {
      const companies = new ModelAccessor(Company, 'companies')
      const limited = await open([companies], { maxRecordsPerModel: 1 })
      await companies.insert({ name: 'A' })
      expect(await rejectionOf(companies.insert({ name: 'B' }, { dryRun: true }))).toMatchObject({ code: 'record_limit' })
      await limited.transaction(async () => {
        expect(await rejectionOf(companies.insert({ name: 'B' }, { dryRun: true }))).toMatchObject({ code: 'record_limit' })
        const part = limited.transaction(() => companies.insert({ name: 'B' }), { dryRun: true })
        expect(await rejectionOf(part)).toMatchObject({ code: 'record_limit' })
        await companies.update(1, { name: 'C' })
      })
      expect(await companies.all()).toMatchObject([{ name: 'C' }])
    })

    test('counts live records, at the end of the unit, for restores too', async () => {
      const companies = new ModelAccessor(Company, 'companies')
      const limited = await open([companies], { maxRecordsPerModel: 2 })
      const [a] = await companies.insertMany([{ name: 'A' }, { name: 'B' }])
      expect(await rejectionOf(companies.insertMany([{ name: 'C' }]))).toMatchObject({ code: 'record_limit' })
      await limited.transaction(async () => {
        const extra = await companies.insert({ name: 'C' })
        await companies.delete(extra.id)
      })
      await companies.delete(a?.id ?? 0)
      await companies.insert({ name: 'D' })
      expect(await rejectionOf(companies.restore(a?.id ?? 0))).toMatchObject({ code: 'record_limit' })
      expect(await rejectionOf(limited.transaction(() => companies.save({ name: 'E' })))).toMatchObject({ code: 'record_limit' })
      expect(await companies.count()).toBe(2)
    })
  })
})
