import { type ChangeEvent, defineAccess, defineModel, ModelAccessor, type Principal } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { changesSoFar, rejectionOf, storagesOn } from '../support.ts'

const Paper = defineModel(
  'papers',
  { org: Type.String(), owner: Type.String(), title: Type.String(), cost: Type.String(), token: Type.String() },
  { tenant: 'org', softDelete: true, secret: ['token'] },
)

describeEngines('the feed of changes, with rules and tenants', (engine) => {
  const open = storagesOn(engine)
  let closed = false
  const access = [
    defineAccess(Paper, {
      all: 'admin',
      read: ['admin', ({ id, roles = [] }: Principal) => !(closed || roles.includes('guest')) && { owner: String(id) }],
      fields: { cost: { read: 'admin' } },
    }),
  ]
  const ann: Principal = { id: 'ann', tenant: 'red' }
  const bob: Principal = { id: 'bob', tenant: 'red' }
  const admin: Principal = { id: 'admin', tenant: 'red', roles: ['admin'] }
  const paper = (org: string, owner: string) => ({ org, owner, title: `of ${owner}`, cost: 'canary-cost', token: 'canary-token' })
  const house = async () => {
    closed = false
    const papers = new ModelAccessor(Paper, 'papers')
    const storage = await open([papers], { access })
    const as = (principal: Principal): Promise<ChangeEvent[]> => storage.actingAs({ principal }, () => changesSoFar(storage, 'papers'))
    return { papers, storage, as }
  }
  const images = (events: readonly ChangeEvent[]): unknown[] =>
    events.map((event) => {
      if (event.type === 'reset') return 'reset'
      const { operation, record_id, before, after } = event.entry
      return [operation, record_id, before?.['owner'] ?? null, after?.['owner'] ?? null]
    })

  test('tells of the records that may be read, without what may not be read in them', async () => {
    const { papers, storage, as } = await house()
    await papers.insertMany([paper('red', 'ann'), paper('red', 'bob'), paper('blue', 'ann')])
    await papers.update(1, { title: 'changed' })
    const own = await as(ann)
    expect(images(own)).toEqual([
      ['create', 1, null, 'ann'],
      ['update', 1, 'ann', 'ann'],
    ])
    expect(JSON.stringify(own)).not.toContain('canary')
    expect(own[0]).toMatchObject({ entry: { after: { title: 'of ann', token: '[secret]' } } })
    const whole = await as(admin)
    expect(images(whole).slice(0, 2)).toEqual([
      ['create', 1, null, 'ann'],
      ['create', 2, null, 'bob'],
    ])
    expect(whole).toHaveLength(3)
    expect(JSON.stringify(whole)).toContain('canary-cost')
    expect(JSON.stringify(whole)).not.toContain('canary-token')
    // Of the log itself a caller has the components of which it may read everything.
    expect(await storage.actingAs({ principal: ann }, () => changesSoFar(storage))).toEqual([])
    expect(await storage.actingAs({ principal: admin }, () => changesSoFar(storage))).toEqual(whole)
    expect(await storage.actingAs({ tenant: 'blue' }, () => changesSoFar(storage))).toHaveLength(1)
  })

  test('tells that a record has gone out of reach, and that one has come into it', async () => {
    const { papers, as } = await house()
    await papers.insert(paper('red', 'ann'))
    await papers.update(1, { owner: 'bob' })
    expect(images(await as(ann))).toEqual([['update', 1, null, null]])
    expect(images(await as(bob))).toEqual([['update', 1, null, 'bob']])
    await papers.update(1, { title: 'not for ann' })
    await papers.update(1, { owner: 'ann', title: 'of ann' })
    expect(images(await as(ann))).toEqual([
      ['create', 1, null, 'ann'],
      ['update', 1, 'ann', null],
      ['update', 1, null, 'ann'],
    ])
    expect(JSON.stringify(await as(ann))).not.toContain('not for ann')
    await papers.purge(1)
    expect(images(await as(ann)).at(-1)).toEqual(['purge', 1, 'ann', null])
    expect(images(await as(bob))).toEqual([
      ['update', 1, null, 'bob'],
      ['update', 1, 'bob', 'bob'],
      ['update', 1, 'bob', null],
    ])
  })

  test('tells of records that are everybody’s what the caller’s own tenant has done with them, and so does their history', async () => {
    const Notice = defineModel('notices', { title: Type.String() })
    const notices = new ModelAccessor(Notice, 'notices')
    const storage = await open([new ModelAccessor(Paper, 'papers'), notices], { access: [...access, defineAccess(Notice, { all: true })] })
    const eve: Principal = { id: 'eve', tenant: 'blue' }
    await storage.actingAs({ principal: ann }, () => notices.insert({ title: 'of red' }))
    await storage.actingAs({ principal: eve }, () => notices.update(1, { title: 'of blue' }))
    await storage.audit.waitUntilSealed()
    for (const [principal, operation] of [
      [ann, 'create'],
      [eve, 'update'],
    ] as const) {
      const { entries, events } = await storage.actingAs({ principal }, async () => ({
        entries: await notices.history(1),
        events: await changesSoFar(storage, 'notices'),
      }))
      expect(entries.map((entry) => entry.operation)).toEqual([operation])
      expect(events.map((event) => event.type === 'change' && event.entry.operation)).toEqual([operation])
    }
  })

  test('asks the rules anew for each page', async () => {
    const { papers, storage } = await house()
    await papers.insertMany([paper('red', 'ann'), paper('red', 'ann')])
    await storage.audit.waitUntilSealed()
    const events = storage.actingAs({ principal: ann }, () => storage.changes({ after: 'start', component: 'papers' }))
    await events.next()
    await events.next()
    const next = rejectionOf(events.next())
    closed = true
    await papers.insert(paper('red', 'ann'))
    expect(await next).toMatchObject({ code: 'forbidden' })
    const guest = { ...ann, roles: ['guest'] }
    expect(await rejectionOf(storage.feed.page({ principal: guest, component: 'papers' }))).toMatchObject({ code: 'forbidden' })
  })
})
