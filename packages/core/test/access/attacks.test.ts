import {
  type AnyModel,
  Default,
  defineAccess,
  defineModel,
  ForbiddenError,
  ModelAccessor,
  type Principal,
  Ref,
  type Storage,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, describe, expect, test } from 'vitest'
import { everyOf, rejectionOf, storagesOn } from '../support.ts'
import { csv, exported, streamed } from '../transfer/import-support.ts'
import { filesOf, rowsOf } from '../transfer/zip-files.ts'

const Team = defineModel('teams', { org: Type.String({ maxLength: 20 }), name: Type.String() }, { tenant: 'org', softDelete: true })
const Staff = defineModel(
  'staff',
  {
    org: Type.String({ maxLength: 20 }),
    name: Type.String(),
    pay: Default(Type.Integer(), 1),
    code: Type.Optional(Type.String()),
    team_id: Type.Optional(Ref(() => Team)),
    boss_id: Type.Optional(Ref((): AnyModel => Staff)),
  },
  { tenant: 'org', softDelete: true, secret: ['code'] },
)

const teamAccess = defineAccess(Team, { all: ['chief', ({ id }) => ({ linked: { staff: { id: id as number } } })] })
const ownOfAuditor = ({ id, roles }: Principal) => roles?.includes('auditor') === true && { boss_id: id as number }
const staffAccess = defineAccess(Staff, {
  read: ['chief', 'auditor', ({ id }) => ({ boss_id: id as number })],
  create: ['chief', ({ id }) => ({ boss_id: id as number })],
  update: ['chief', ({ id }) => ({ boss_id: id as number })],
  delete: ['chief', ownOfAuditor],
  restore: ['chief', ownOfAuditor],
  purge: ownOfAuditor,
  fields: { pay: { read: 'chief' }, name: { write: 'chief' }, team_id: { read: ({ roles }) => !roles?.includes('blind') } },
})

const chief: Principal = { id: 1, roles: ['chief'], tenant: 'red' }
const boss: Principal = { id: 2, roles: ['boss'], tenant: 'red' }
const blueChief: Principal = { id: 9, roles: ['chief'], tenant: 'blue' }
const auditor: Principal = { id: 8, roles: ['auditor'], tenant: 'red' }

describeEngines('whoever looks for a way around the rules', (engine) => {
  const open = storagesOn(engine, 'suite')
  const teams = new ModelAccessor(Team, 'teams')
  const staff = new ModelAccessor(Staff, 'staff')
  let storage: Storage

  beforeAll(async () => {
    storage = await open([teams, staff], { access: [teamAccess, staffAccess] })
    await teams.insertMany([
      { org: 'red', name: 'Reds' },
      { org: 'blue', name: 'Blues' },
    ])
    await staff.insertMany([
      { org: 'red', name: 'Chief' },
      { org: 'red', name: 'Boss', team_id: 1 },
      { org: 'red', name: 'Ann', boss_id: 2, pay: 777, code: 'canary' },
      { org: 'red', name: 'Bob', boss_id: 1 },
      { org: 'blue', name: 'Zoe' },
    ])
  })

  const names = (rows: readonly { readonly name: string }[]): string[] => rows.map(({ name }) => name)

  describe('by an export', () => {
    test('gets the records and fields that it may read, its secrets like any, and no log that tells more', async () => {
      const files = await filesOf(await exported(storage, { principal: boss, secrets: 'include' }))
      expect(rowsOf(files.get('staff.csv'))).toMatchObject([{ name: 'Ann', pay: '[secret]', code: 'canary' }])
      expect(rowsOf(files.get('teams.csv'))).toMatchObject([{ name: 'Reds' }])
      expect([...files.keys()].sort()).toEqual(['manifest.json', 'staff.csv', 'teams.csv'])
      const [bytes] = [Buffer.concat([...files.values()]).toString()]
      expect(bytes).not.toContain('777')
      expect(bytes).not.toContain('Zoe')
      const refused = exported(storage, { principal: boss, tables: ['strongroom_audit_log'] })
      expect(await rejectionOf(refused)).toBeInstanceOf(ForbiddenError)
    })

    test('gets the log of its tenant where it may read all of it, and leaves out what it may not read at all', async () => {
      const files = await filesOf(await storage.actingAs({ principal: chief }, () => exported(storage)))
      expect(new Set(rowsOf(files.get('strongroom_audit_log.csv')).map(({ tenant }) => tenant))).toEqual(new Set(['red']))
      expect(names(rowsOf(files.get('staff.csv')) as never)).toEqual(['Chief', 'Boss', 'Ann', 'Bob'])
      const nobody = { id: null, tenant: 'red' }
      expect([...(await filesOf(await exported(storage, { principal: nobody }))).keys()]).toEqual(['manifest.json'])
      expect(await rejectionOf(exported(storage, { principal: nobody, tables: ['staff'] }))).toBeInstanceOf(ForbiddenError)
    })

    test('can be imported again: what was masked stays as it is', async () => {
      const zip = await exported(storage, { principal: boss, secrets: 'include' })
      for (const principal of [boss, { id: 1, roles: ['chief'], tenant: '*' }]) {
        const report = await storage.actingAs({ principal }, () => storage.import(streamed(zip), { mode: 'upsert' }))
        expect(report).toMatchObject({ errors: [], applied: true })
      }
      expect(await staff.get(3)).toMatchObject({ pay: 777, code: 'canary' })
    })

    test('is the whole database for code that acts for itself', async () => {
      const whole = await storage.actingAs({ principal: boss }, () =>
        exported(storage, { access: 'system', principal: { id: 1, tenant: '*' } }),
      )
      expect(rowsOf((await filesOf(whole)).get('staff.csv'))).toHaveLength(4)
      expect(rowsOf((await filesOf(await exported(storage))).get('staff.csv'))).toHaveLength(5)
    })
  })

  describe('by a write', () => {
    // reads everybody, and may do something with those alone whose boss it is
    const lead: Principal = { id: 2, roles: ['auditor'], tenant: 'red' }

    test('takes over no record by making it its own', async () => {
      expect(await staff.get(4, { principal: lead })).toMatchObject({ name: 'Bob' })
      for (const taken of [
        () => staff.update(4, { boss_id: 2 }, { principal: lead }),
        () => staff.updateMany({ name: 'Bob' }, { boss_id: 2 }, { principal: lead }),
        () => staff.save({ id: 4, boss_id: 2 }, { principal: lead }),
        () => storage.actingAs({ principal: lead }, () => storage.import({ staff: csv('id,boss_id', '4,2') }, { mode: 'upsert' })),
      ])
        expect(await rejectionOf(taken())).toBeInstanceOf(ForbiddenError)
      expect(await rejectionOf(teams.insert({ name: 'Mine' }, { principal: lead }))).toBeInstanceOf(ForbiddenError)
    })

    test('deletes, brings back and purges what its rule holds for, and nothing else that it can see', async () => {
      const options = { principal: lead }
      for (const refused of [() => staff.delete(4, options), () => staff.deleteMany([3, 4], options), () => staff.purge(4, options)])
        expect(await rejectionOf(refused())).toBeInstanceOf(ForbiddenError)
      expect(await staff.purge(3, { ...options, dryRun: true })).toBe(true)
      await staff.deleteMany([3, 4])
      expect(await rejectionOf(staff.restore(4, options))).toBeInstanceOf(ForbiddenError)
      expect(await staff.restore(3, options)).toBe(true)
      await staff.restore(4)
    })

    test('includes nothing, and changes nothing, by a field that it may not read', async () => {
      const principal: Principal = { id: 1, roles: ['chief', 'blind'], tenant: 'red' }
      for (const question of [
        () => staff.find({ include: { team: true }, principal }),
        () => teams.find({ include: { staff: true }, principal }),
        () => staff.updateMany({ pay: 777 }, { team_id: 1 }, { principal: boss }),
        () => staff.deleteMany({ pay: 777 }, { principal: lead }),
      ])
        expect(await rejectionOf(question())).toMatchObject({ code: 'invalid_query' })
      expect(await teams.find({ include: { staff: true }, principal: chief })).toMatchObject([{ staff: [{ name: 'Boss' }] }])
    })
  })

  describe('by an import', () => {
    const importAs = (principal: Principal, mode: 'insert' | 'upsert', ...lines: string[]) =>
      storage.actingAs({ principal }, () => storage.import({ staff: csv(...lines) }, { mode }))
    const errorsOf = async (...args: Parameters<typeof importAs>) =>
      (await importAs(...args)).errors.map(({ field, message }) => `${field} ${message}`)

    test('neither leaves its tenant nor takes a record along', async () => {
      const moved = importAs(chief, 'upsert', 'id,org', '4,blue')
      expect((await moved).errors).toMatchObject([{ field: 'org', message: 'must be your own tenant; leave it out' }])
      expect(await errorsOf(chief, 'insert', 'org,name', 'blue,New')).toEqual(['org must be your own tenant; leave it out'])
      expect(await rejectionOf(importAs({ id: 3, roles: ['chief'] }, 'insert', 'org,name', 'blue,New'))).toBeInstanceOf(ForbiddenError)
      // another tenant's record is not there, and its id is taken
      expect(await errorsOf(chief, 'upsert', 'id,org,name', '5,red,Mine')).toEqual([expect.stringContaining('has the same id')])
      expect(await staff.get(4)).toMatchObject({ org: 'red' })
    })

    test('sets no field that is closed to it, marks and brings back nothing without the rule for it', async () => {
      expect(await errorsOf(boss, 'upsert', 'id,pay', '3,5')).toEqual(['pay is no field of staff.'])
      expect(await errorsOf(boss, 'upsert', 'id,name', '3,New')).toEqual(['name may not be set by you'])
      const marked = importAs(boss, 'upsert', 'id,deleted_at', '3,2026-01-01T00:00:00.000Z')
      expect(await rejectionOf(marked)).toBeInstanceOf(ForbiddenError)
      expect(await importAs(boss, 'upsert', 'id,team_id', '3,1')).toMatchObject({ applied: true })
      expect(await rejectionOf(importAs(boss, 'upsert', 'id,boss_id', '3,'))).toBeInstanceOf(ForbiddenError)
      await staff.update(3, { team_id: null })
    })

    test('points only to what it may read, also where the target comes later', async () => {
      expect(await errorsOf(chief, 'insert', 'id,org,name,team_id', '60,red,New,2')).toEqual([expect.stringContaining('team_id')])
      const later = importAs(
        chief,
        'insert',
        'id,org,name,boss_id',
        ...Array.from({ length: 300 }, (_, at) => `${100 + at},red,N${at},${at === 0 ? 399 : ''}`),
      )
      expect(await later).toMatchObject({ applied: true })
      await staff.purgeMany({ id: { gte: 100 } })
    })
  })

  test('by the report of an import, which tells the same of a record that is hidden and of none', async () => {
    const Page = defineModel('pages', { open: Type.Boolean(), next_id: Type.Optional(Ref((): AnyModel<number> => Page)) })
    const pages = new ModelAccessor(Page, 'pages')
    const book = await open([pages], { access: [defineAccess(Page, { all: { open: true } })] })
    await pages.insert({ open: false })
    const told = (target: number) =>
      book.actingAs({ principal: boss }, () =>
        book.import({ pages: csv('id,open,next_id', '10,true,11', `11,true,${target}`, '12,true,10') }),
      )
    const { errors } = await told(999)
    expect(errors).toMatchObject([{ line: 3, field: 'next_id' }])
    expect((await told(1)).errors).toEqual(errors)
  })

  test('by a stream or a commit hook that goes on when the request is over', async () => {
    const stream = storage.actingAs({ principal: boss }, () => staff.stream())
    expect(names(await everyOf(stream))).toEqual(['Ann'])
    const entries = storage.actingAs({ principal: blueChief }, () => storage.audit.stream())
    expect(new Set((await everyOf(entries)).map(({ tenant }) => tenant))).toEqual(new Set(['blue']))
    const seen: number[] = []
    await storage.transaction((session) => session.afterCommit(async () => void seen.push(await staff.count())), { principal: boss })
    expect(seen).toEqual([1])
  })

  test('by what is about the whole database', async () => {
    const works: readonly (() => Promise<unknown>)[] = [
      () => storage.backup('./nowhere.sqlite'),
      () => storage.restore('./nowhere.sqlite'),
      () => storage.undoRestore(),
      () => storage.backups(),
      () => storage.diagram(),
      () => storage.jobs.list(),
      () => storage.jobs.get('x'),
      () => storage.startImport({ staff: csv('id', '1') }),
    ]
    for (const work of works) expect(await rejectionOf(storage.actingAs({ principal: chief }, work))).toBeInstanceOf(ForbiddenError)
    expect(await storage.actingAs({ principal: chief, access: 'system' }, () => storage.backups())).toEqual([])
  })

  test('by the log: it counts, gets and pages no more than it finds, in the tenant of the transaction', async () => {
    const entries = await storage.actingAs({ principal: blueChief }, () => storage.audit.find())
    expect(new Set(entries.map(({ tenant }) => tenant))).toEqual(new Set(['blue']))
    const foreign = (await storage.audit.find({ component: 'staff', record_id: 1 }))[0]?.id ?? 0
    await storage.actingAs({ principal: blueChief }, async () => {
      expect(await storage.audit.count()).toBe(entries.length)
      expect((await storage.audit.page()).entries).toHaveLength(entries.length)
      expect(await storage.audit.get(foreign)).toBeNull()
      expect(await storage.audit.count({ component: 'staff', record_id: 1 })).toBe(0)
    })
    expect(await storage.actingAs({ principal: boss }, () => storage.audit.count())).toBe(0)
    expect(await storage.transaction(() => storage.audit.count({ component: 'staff', record_id: 1 }), { tenant: 'blue' })).toBe(0)
    const everywhere = { id: 1, roles: ['chief'], tenant: '*' }
    const within = () => storage.actingAs({ principal: everywhere }, () => storage.audit.count({ component: 'staff', record_id: 1 }))
    expect(await within()).toBeGreaterThan(0)
    expect(await storage.transaction(within, { tenant: 'blue' })).toBe(0)
  })

  test('by a key: a stored answer is the caller’s own', async () => {
    const once = (principal: Principal) =>
      storage.actingAs({ principal }, () => staff.once({ key: 'k', scope: [], content: '' }, async () => principal.id))
    expect(await once(chief)).toEqual({ answer: 1, replayed: false })
    expect(await once(blueChief)).toEqual({ answer: 9, replayed: false })
    expect(await once({ ...boss, name: 'Chief' })).toEqual({ answer: 2, replayed: false })
    expect(await once(chief)).toEqual({ answer: 1, replayed: true })
  })

  test('by what a refusal tells: of hidden records neither that they are there nor how many', async () => {
    const held = await rejectionOf(teams.delete(1, { principal: boss }))
    expect(held).toMatchObject({ message: 'teams cannot be deleted while records of staff point to it by team_id.' })
    const told = await rejectionOf(staff.upsertMany([{ id: 4, name: 'x' }], { on: ['id'], principal: { ...boss, roles: [] } }))
    expect(told).toMatchObject({ code: 'validation_failed' })
    const guess = (name: string) => rejectionOf(staff.update(3, { [name]: 777 } as never, { principal: boss }))
    expect(String(await guess('pay')).replace('pay', 'pey')).toBe(String(await guess('pey')))
    expect(await rejectionOf(staff.find({ principal: boss, where: { not: { pay: 777 } } }))).toMatchObject({ code: 'invalid_query' })
  })

  test('by a cursor that somebody made up: it is a place in an order, and no way to a record', async () => {
    const forged = (values: readonly unknown[]) => Buffer.from(JSON.stringify(values)).toString('base64url')
    const page = (cursor: string, orderBy?: 'pay') =>
      staff.page({ principal: boss, after: cursor, ...(orderBy && { orderBy }), includeDeleted: true })
    expect(names((await page(forged([1, 'id', 0]))).rows)).toEqual(['Ann'])
    expect((await page(forged([1, 'id', 3]))).rows).toEqual([])
    expect(await rejectionOf(page(forged([1, 'pay,id', 0, 0]), 'pay'))).toMatchObject({ code: 'invalid_query' })
    expect(await rejectionOf(page(forged([1, 'pay,id', 0, 0])))).toMatchObject({ code: 'invalid_query' })
  })

  test('by who deleted something: what is deleted links nothing', async () => {
    const mine = () => teams.count({}, { principal: boss })
    expect(await mine()).toBe(1)
    await storage.import({ staff: csv('id,deleted_at', '2,2026-01-01T00:00:00.000Z') }, { mode: 'upsert' })
    expect(await mine()).toBe(0)
    await staff.restore(2)
    expect(await staff.count({}, { principal: auditor })).toBe(4)
  })

  describe('by a principal that is no proper one', () => {
    const find = (options: object) => rejectionOf(staff.find(options as never))

    test('is refused, and never taken for the code itself', async () => {
      for (const options of [
        { principal: undefined },
        { principal: null },
        { access: 'System' },
        { access: true },
        { tenant: '' },
        { tenant: null },
      ])
        expect(await find(options)).toMatchObject({ code: 'invalid_options' })
      expect(() => storage.actingAs({ principal: undefined } as never, () => staff.find())).toThrow('principal is an object with an id')
      expect(await find({ principal: { ...chief, tenant: {} } })).toMatchObject({ code: 'invalid_options' })
    })

    test('has no role that is a part of another word, in another case, or a name that every object has', async () => {
      expect(await find({ principal: { id: 4, roles: 'chief', tenant: 'red' } })).toBeInstanceOf(TypeError)
      for (const roles of [['Chief'], ['chi'], ['__proto__', 'constructor', 'toString']])
        expect(await staff.count({}, { principal: { id: 4, roles, tenant: 'red' } })).toBe(0)
      const explain = (operation: string) => storage.explainAccess({ component: 'staff', operation: operation as never, principal: boss })
      for (const operation of ['constructor', '__proto__', 'toString', 'fields', 'all'])
        expect(await rejectionOf(explain(operation))).toMatchObject({ code: 'invalid_options' })
    })

    test('has what it has now: roles that are taken away count no more', async () => {
      const roles = ['chief']
      const principal = { id: 4, roles, tenant: 'red' }
      expect(await staff.count({}, { principal })).toBe(4)
      roles.pop()
      expect(await staff.count({}, { principal })).toBe(0)
      principal.tenant = 'blue'
      roles.push('chief')
      expect(names(await staff.find({ principal }))).toEqual(['Zoe'])
      expect(await staff.count({}, { principal: Object.freeze({ ...chief, roles: Object.freeze(['chief']) }) })).toBe(4)
    })

    test('whoever is named is held to the rules, also by code that acts for itself', async () => {
      const seen = await storage.transaction(() => Promise.all([staff.count(), staff.count({}, { principal: boss })]), { access: 'system' })
      expect(seen).toEqual([5, 1])
    })

    test('belongs to no tenant where its own has no name', async () => {
      expect(await staff.count({}, { principal: { id: 1, roles: ['chief'], tenant: '' } })).toBe(0)
      const answer = await storage.explainAccess({ component: 'staff', operation: 'read', principal: { id: 1, tenant: null } })
      expect(answer).toMatchObject({ allowed: false, rule: 'staff.tenant' })
    })
  })
})

describeEngines('a tenant that is a number', (engine) => {
  const open = storagesOn(engine)
  const Bill = defineModel('bills', { org: Type.Integer(), total: Type.Integer() }, { tenant: 'org' })

  test('is the one that is written so, and none that reads like it', async () => {
    const bills = new ModelAccessor(Bill, 'bills')
    const storage = await open([bills])
    await bills.insertMany([
      { org: 0, total: 1 },
      { org: 7, total: 2 },
    ])
    const count = (tenant: unknown) => bills.count({}, { principal: { id: 1, tenant } as Principal })
    expect(await Promise.all(['7', 7, '0'].map(count))).toEqual([1, 1, 1])
    expect(await Promise.all(['', ' 7', '07', '7.0', '0x7', '7e0', 'seven', '9007199254740993'].map(count))).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0,
    ])
    expect(await bills.insert({ total: 3 } as never, { principal: { id: 1, tenant: 7 } as never })).toMatchObject({ org: 7 })
    expect(await rejectionOf(bills.insert({ total: 3 } as never, { principal: { id: 1, tenant: 'x' } }))).toMatchObject({
      code: 'validation_failed',
    })
    const entries = await storage.actingAs({ principal: { id: 1, tenant: 7 } as never }, () => storage.audit.find())
    expect(entries.map(({ tenant }) => tenant)).toEqual(['7', '7'])
  })
})
