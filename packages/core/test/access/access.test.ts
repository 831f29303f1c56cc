import {
  defineAccess,
  defineModel,
  ForbiddenError,
  InvalidQueryError,
  ModelAccessor,
  NotFoundError,
  openStorage,
  type Principal,
  type Storage,
  versionOf,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everyOf, rejectionOf } from '../support.ts'
import { accessors, rules } from './house.ts'

const boss: Principal = { id: 1, roles: ['boss'] }
const ann: Principal = { id: 2, roles: ['worker'] }
const bob: Principal = { id: 3 }
const nobody: Principal = { id: null }

describeEngines('rules of access', (database) => {
  const { people, projects, members, tasks } = accessors()
  let storage: Storage

  beforeAll(async () => {
    const opened = await openStorage({ url: await database.freshUrl(), accessors: [people, projects, members, tasks], access: rules })
    storage = opened as unknown as Storage
    await people.insertMany([{ name: 'Boss', salary: 900 }, { name: 'Ann', salary: 500 }, { name: 'Bob' }])
    await projects.insertMany([
      { title: 'House', owner_id: 2 },
      { title: 'Garden', owner_id: 3 },
      { title: 'Vault', owner_id: 1 },
    ])
    await members.insertMany([
      { project_id: 1, person_id: 2 },
      { project_id: 1, person_id: 3 },
      { project_id: 2, person_id: 3 },
    ])
    await tasks.insertMany([
      { title: 'paint', project_id: 1, assignee_id: 2 },
      { title: 'sweep', project_id: 1, assignee_id: 3 },
      { title: 'plant', project_id: 2, assignee_id: 3 },
      { title: 'lock', project_id: 3 },
    ])
  })

  afterAll(() => storage.close())

  const titles = async (principal: Principal): Promise<string[]> => (await tasks.find({ principal })).map(({ title }) => title)

  test('writes of several callers at once: whoever is refused loses its own work alone', async () => {
    const write = (principal: Principal, title: string, project_id: number, id?: number) =>
      storage.actingAs({ principal }, () => tasks.insert({ title, project_id, ...(id !== undefined && { id }) }))
    const outcomes = await Promise.allSettled([
      write(boss, 'wire', 3),
      // Ann's rule looks at what she has made.
      write(ann, 'break in', 3),
      write(ann, 'mow', 1),
      write(boss, 'taken', 3, 1),
      write(nobody, 'nothing', 1),
      storage.actingAs({ principal: boss }, () => tasks.delete(4)),
      write(boss, 'weld', 3),
    ])
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, false, true, true])
    const made = await tasks.find({ where: { id: { gt: 4 } }, orderBy: 'title' })
    expect(made.map(({ title }) => title)).toEqual(['mow', 'weld', 'wire'])
    expect(await storage.audit.count({ component: 'tasks', operation: 'create' })).toBe(4 + made.length)
    expect(await tasks.get(4)).toBeNull()
    await tasks.restore(4)
    await tasks.purgeMany(made.map(({ id }) => id))
  })

  describe('reading', () => {
    test('code that names no principal reads everything', async () => {
      expect(await tasks.count()).toBe(4)
    })

    test('lists, pages, counts, groups and streams have the records that the rules let through', async () => {
      expect(await titles(ann)).toEqual(['paint', 'sweep'])
      expect(await titles(bob)).toEqual(['paint', 'sweep', 'plant'])
      expect(await titles(boss)).toHaveLength(4)
      expect(await tasks.page({ principal: ann, limit: 1 })).toMatchObject({ total: 2, rows: [{ title: 'paint' }] })
      expect(await tasks.count({}, { principal: ann })).toBe(2)
      expect(await tasks.exists({ title: 'plant' }, { principal: ann })).toBe(false)
      expect(await tasks.aggregate({ measures: ['count', 'max:title'], principal: ann })).toEqual([{ count: 2, max_title: 'sweep' }])
      expect(await everyOf(tasks.stream({ principal: ann }))).toHaveLength(2)
    })

    test('a record that the rules hold back is not there', async () => {
      expect(await tasks.get(3, { principal: ann })).toBeNull()
      expect(await tasks.get(3, { principal: bob })).toMatchObject({ title: 'plant' })
      expect(await tasks.findOne({ where: { title: 'plant' }, principal: ann })).toBeNull()
    })

    test('what is included keeps to its own rules', async () => {
      const [record] = await projects.find({ where: { id: 1 }, include: { tasks: true, members: true, owner: true }, principal: ann })
      expect(record).toMatchObject({ title: 'House', tasks: [{ title: 'paint' }, { title: 'sweep' }], members: [{ person_id: 2 }] })
      expect(record?.owner).toEqual({ id: 2, name: 'Ann' })
    })

    test('a model without rules, and an operation without a rule, are closed', async () => {
      expect(await rejectionOf(titles(nobody))).toBeInstanceOf(ForbiddenError)
      expect(await rejectionOf(tasks.get(1, { principal: nobody }))).toBeInstanceOf(ForbiddenError)
      expect(await rejectionOf(people.insert({ name: 'New' }, { principal: ann }))).toBeInstanceOf(ForbiddenError)
    })

    test('whoever has no id owns nothing, least of all what belongs to nobody', async () => {
      const unowned = await storage.transaction(async () => tasks.find({ where: { assignee_id: null } }))
      expect(unowned).toHaveLength(1)
      expect(await rejectionOf(tasks.update(4, { title: 'x' }, { principal: { ...nobody } }))).toBeInstanceOf(ForbiddenError)
    })

    test('code inside a transaction of a principal reads as that principal, unless it says that it acts for itself', async () => {
      const seen = await storage.transaction(async () => [await tasks.count(), await tasks.count({}, { access: 'system' })], {
        principal: ann,
      })
      expect(seen).toEqual([2, 4])
    })
  })

  describe('fields that are not for everybody', () => {
    test('are in no answer, nor in a group, filter, order or projection', async () => {
      expect(await people.get(1, { principal: ann })).toEqual({ id: 1, name: 'Boss' })
      expect(await people.find({ principal: ann, where: { id: 1 } })).toEqual([{ id: 1, name: 'Boss' }])
      for (const ask of [
        () => people.find({ where: { salary: { gt: 100 } }, principal: ann }),
        () => people.find({ where: { or: [{ not: { salary: 1 } }] }, principal: ann }),
        () => people.find({ orderBy: 'salary', principal: ann }),
        () => people.find({ fields: ['salary'], principal: ann }),
        () => people.count({ salary: 500 }, { principal: ann }),
        () => people.aggregate({ measures: ['max:salary'], principal: ann }),
        () => people.aggregate({ groupBy: ['salary'], measures: ['count'], principal: ann }),
      ]) {
        const error = await rejectionOf(ask())
        expect(error).toBeInstanceOf(InvalidQueryError)
        expect(String(error)).toMatch(/people has no field "salary"\. Its fields are id, name\./)
      }
    })

    test('are there for those who may read them', async () => {
      expect(await people.get(1, { principal: boss })).toMatchObject({ salary: 900 })
      expect(await people.aggregate({ measures: ['max:salary'], principal: boss })).toEqual([{ max_salary: 900 }])
    })

    test('cannot be set by those who may not, and a hidden one answers like one that is not there', async () => {
      const refused = await rejectionOf(tasks.update(2, { done: true }, { principal: bob }))
      expect(refused).toMatchObject({ issues: [{ path: 'done', message: 'may not be set by you' }] })
      expect(await tasks.update(1, { done: true }, { principal: ann, dryRun: true })).toMatchObject({ done: true })
      expect(await rejectionOf(people.update(2, { salary: 1 }, { principal: ann }))).toMatchObject({
        issues: [{ path: 'salary', message: 'is no field of people.' }],
      })
    })

    test('stay as they are when a record is sent back, or replaced without them', async () => {
      const record = await tasks.get(2, { principal: bob })
      expect(await tasks.update(2, { ...record, title: 'sweep' }, { principal: bob, dryRun: true })).toMatchObject({ done: false })
      await tasks.update(2, { done: true })
      const replaced = await tasks.replace(2, { title: 'sweep', project_id: 1, assignee_id: 3 }, { principal: bob, dryRun: true })
      expect(replaced.done).toBe(true)
      await tasks.update(2, { done: false })
    })
  })

  describe('writing', () => {
    test('changes only what the rules let through, before and after', async () => {
      expect(await tasks.update(1, { title: 'paint it' }, { principal: ann, dryRun: true })).toMatchObject({ title: 'paint it' })
      expect(await rejectionOf(tasks.update(2, { title: 'x' }, { principal: ann }))).toBeInstanceOf(ForbiddenError)
      // handing a task over leaves it out of reach: the rule has to hold for the record as it is left
      expect(await rejectionOf(tasks.update(1, { assignee_id: 3 }, { principal: ann }))).toBeInstanceOf(ForbiddenError)
      expect(await tasks.get(1)).toMatchObject({ assignee_id: 2 })
    })

    test('does not tell a record that is held back from one that is missing', async () => {
      const held = await rejectionOf(tasks.update(3, { title: 'x' }, { principal: ann }))
      const missing = await rejectionOf(tasks.update(99, { title: 'x' }, { principal: ann }))
      expect(held).toBeInstanceOf(NotFoundError)
      expect(String(held).replace('3', '99')).toBe(String(missing))
      expect(await projects.delete(2, { principal: ann })).toBe(false)
      expect(await projects.deleteMany([2, 99], { principal: ann })).toBe(0)
      expect(await tasks.updateMany({ title: 'plant' }, { title: 'x' }, { principal: ann })).toEqual([])
    })

    test('makes only records that the rules would let through', async () => {
      expect(await tasks.insert({ title: 'new', project_id: 1 }, { principal: ann, dryRun: true })).toMatchObject({ title: 'new' })
      // the project is held back, so that it is as if it were not there
      const elsewhere = await rejectionOf(tasks.insert({ title: 'new', project_id: 2 }, { principal: ann }))
      expect(elsewhere).toMatchObject({ code: 'reference_conflict' })
      const missing = await rejectionOf(tasks.insert({ title: 'new', project_id: 99 }, { principal: ann }))
      expect(String(elsewhere)).toBe(String(missing))
      expect(await tasks.count()).toBe(4)
    })

    test('is refused as a whole when one of many records is not allowed', async () => {
      expect(await rejectionOf(tasks.updateMany({ project_id: 1 }, { title: 'x' }, { principal: ann }))).toBeInstanceOf(ForbiddenError)
      expect(await rejectionOf(tasks.deleteMany([1], { principal: ann }))).toBeInstanceOf(ForbiddenError)
      expect(await rejectionOf(tasks.purge(1, { principal: boss }))).toBeInstanceOf(ForbiddenError)
      const inserted = tasks.insertMany(
        [
          { title: 'a', project_id: 1 },
          { title: 'b', project_id: 3 },
        ],
        { principal: bob },
      )
      expect(await rejectionOf(inserted)).toMatchObject({ code: 'reference_conflict' })
      expect(await titles(boss)).toEqual(['paint', 'sweep', 'plant', 'lock'])
    })

    test('upserts and saves keep to the rules too', async () => {
      const upsert = tasks.upsertMany([{ id: 2, title: 'x', project_id: 1 }], { on: ['id'], principal: ann })
      expect(await rejectionOf(upsert)).toBeInstanceOf(ForbiddenError)
      expect(await rejectionOf(tasks.save({ id: 2, title: 'x' }, { principal: ann }))).toBeInstanceOf(ForbiddenError)
    })

    test('takes along what a cascade takes along, whoever may see that', async () => {
      const gone = projects.delete(2, { principal: { id: 3 }, dryRun: true })
      expect(await gone).toBe(true)
    })

    test('marks and brings back only with the rule for it', async () => {
      await tasks.delete(4, { principal: boss })
      expect(await rejectionOf(tasks.restore(2, { principal: ann }))).toBeInstanceOf(ForbiddenError)
      expect(await rejectionOf(tasks.restore(4, { principal: ann }))).toBeInstanceOf(ForbiddenError)
      expect(await tasks.restore(4, { principal: boss })).toBe(true)
    })

    test('answers records as the caller may read them, with their version', async () => {
      expect(await people.update(2, { name: 'Ann B.' }, { principal: boss })).toMatchObject({ salary: 500 })
      const named = await people.update(2, { name: 'Ann' }, { principal: ann })
      expect(named).toEqual({ id: 2, name: 'Ann' })
      expect(versionOf(named)).toBe(versionOf(await people.get(2)))
    })
  })

  describe('explaining', () => {
    const explain = (principal: Principal, operation: 'read' | 'update' | 'delete', id?: number) =>
      storage.explainAccess({ component: 'tasks', operation, principal, id })

    test('names the rule that decided, and says why', async () => {
      expect(await explain(boss, 'delete')).toMatchObject({ allowed: true, rule: 'tasks.delete: role boss' })
      expect(await explain(ann, 'update', 1)).toMatchObject({ allowed: true, rule: 'tasks.update[1]', fields: { hidden: [], locked: [] } })
      expect(await explain(ann, 'update', 2)).toMatchObject({
        allowed: false,
        rule: 'tasks.update[1]',
        reason: expect.stringContaining('may update it'),
      })
      expect(await explain(ann, 'update', 3)).toMatchObject({
        allowed: false,
        rule: 'tasks.read[1]',
        reason: expect.stringContaining('not there'),
      })
      expect(await explain(ann, 'delete', 1)).toMatchObject({ allowed: false, rule: 'tasks.delete allows it to nobody like this' })
      expect(await explain(bob, 'read')).toMatchObject({ allowed: true, fields: { locked: ['done'] } })
      expect(await explain(ann, 'read', 99)).toMatchObject({ allowed: false, reason: 'There is no such record.' })
    })
  })

  describe('a caller that acts', () => {
    test('is the one for whom everything is read and written that says nothing else', async () => {
      const caller = { principal: ann, actor: 'ann', requestId: 'request-9' }
      expect(await storage.actingAs(caller, () => tasks.count())).toBe(2)
      expect(await storage.actingAs(caller, () => tasks.count({}, { access: 'system' }))).toBe(4)
      await storage.actingAs(caller, () => tasks.update(1, { title: 'paint' + '!' }))
      await tasks.update(1, { title: 'paint' })
      expect(await storage.audit.find({ request_id: 'request-9' })).toMatchObject([{ actor: 'ann', operation: 'update' }])
    })

    test('reads the log of components that it may read as a whole, without the fields that it may not', async () => {
      await people.update(2, { salary: 501 })
      await people.update(2, { salary: 500 })
      const seen = await storage.actingAs({ principal: ann }, () => storage.audit.find({ limit: 1000 }))
      expect(new Set(seen.map(({ component }) => component))).toEqual(new Set(['people']))
      expect(JSON.stringify(seen)).not.toContain('salary')
      const all = await storage.actingAs({ principal: boss }, () => storage.audit.find({ limit: 1000 }))
      expect(new Set(all.map(({ component }) => component))).toEqual(new Set(['people', 'projects', 'members', 'tasks']))
      expect(JSON.stringify(all)).toContain('salary')
    })
  })
})

describeEngines('a condition in a list of rules', (database) => {
  test('is asked beside the roles of the list, of callers who are nobody, too', async () => {
    const Page = defineModel('access_pages', { title: Type.String(), published: Type.Boolean() })
    const pages = new ModelAccessor(Page, 'pages')
    const access = [defineAccess(Page, { all: 'editor', read: ['editor', { published: true }] })]
    const storage = await openStorage({ url: await database.freshUrl(), accessors: [pages], access })
    await pages.insertMany([
      { title: 'Draft', published: false },
      { title: 'News', published: true },
    ])
    const read = async (principal: Principal) => (await pages.find({ principal })).map(({ title }) => title)
    expect(await read({ id: 1, roles: ['editor'] })).toEqual(['Draft', 'News'])
    expect(await read(nobody)).toEqual(['News'])
    expect(await read(ann)).toEqual(['News'])
    await storage.close()
  })
})

describeEngines('a caller who may change every record, and read some', (database) => {
  test('changes, deletes, brings back and purges none of the others', async () => {
    const Letter = defineModel('access_letters', { owner_id: Type.Integer(), text: Type.String() }, { softDelete: true })
    const letters = new ModelAccessor(Letter, 'letters')
    const access = [defineAccess(Letter, { all: true, read: ({ id }) => ({ owner_id: Number(id) }) })]
    const storage = await openStorage({ url: await database.freshUrl(), accessors: [letters], access })
    const [own, other, deleted] = await letters.insertMany([2, 3, 3].map((owner_id) => ({ owner_id, text: 'canary' })))
    await letters.delete(deleted?.id ?? 0)
    const caller = { principal: ann }
    const before = await storage.audit.count()
    for (const id of [other?.id ?? 0, deleted?.id ?? 0]) {
      expect(await rejectionOf(letters.update(id, { text: 'x' }, caller))).toBeInstanceOf(NotFoundError)
      expect(await rejectionOf(letters.save({ id, text: 'x' } as never, caller))).toBeInstanceOf(Error)
      expect([await letters.delete(id, caller), await letters.restore(id, caller), await letters.purge(id, caller)]).toEqual([
        false,
        false,
        false,
      ])
    }
    expect(await storage.audit.count()).toBe(before)
    expect(await letters.update(own?.id ?? 0, { text: 'y' }, caller)).toMatchObject({ text: 'y' })
    expect([await letters.delete(own?.id ?? 0, caller), await letters.restore(own?.id ?? 0, caller)]).toEqual([true, true])
    await storage.close()
  })
})
