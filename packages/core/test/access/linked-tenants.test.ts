import { defineAccess, defineModel, ModelAccessor, type Principal, Ref, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeAll, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'

/** Shared by all tenants; who may see one is said by its members, which belong to tenants. */
const Project = defineModel('projects', { title: Type.String() }, { softDelete: true })
const Member = defineModel(
  'members',
  { org: Type.String({ maxLength: 20 }), project_id: Ref(() => Project), person: Type.Integer() },
  { tenant: 'org' },
)
/** Seen by whoever sees its member. */
const Note = defineModel('notes', { text: Type.String(), member_id: Ref(() => Member) })

const ownProjects = ({ id }: Principal) => ({ linked: { members: { person: id as number } } })
const ownNotes = ({ id }: Principal) => ({ linked: { member: { person: id as number } } })

describeEngines('rules that ask linked records', (engine) => {
  const open = storagesOn(engine, 'suite')
  const projects = new ModelAccessor(Project, 'projects')
  const members = new ModelAccessor(Member, 'members')
  const notes = new ModelAccessor(Note, 'notes')
  const red: Principal = { id: 7, tenant: 'red' }
  const blue: Principal = { id: 7, tenant: 'blue' }
  const nowhere: Principal = { id: 7 }
  const everywhere: Principal = { id: 7, tenant: '*' }
  let storage: Storage

  beforeAll(async () => {
    const access = [defineAccess(Project, { all: ownProjects }), defineAccess(Member, { all: true }), defineAccess(Note, { all: ownNotes })]
    storage = await open([projects, members, notes], { access })
    await projects.insertMany([{ title: 'of blue' }, { title: 'of red' }])
    await members.insertMany([
      { org: 'blue', project_id: 1, person: 7 },
      { org: 'red', project_id: 2, person: 7 },
    ])
    await notes.insertMany([
      { text: 'of blue', member_id: 1 },
      { text: 'of red', member_id: 2 },
    ])
    await storage.audit.waitUntilSealed()
  })

  test.each([
    ['red', red, ['of red']],
    ['blue', blue, ['of blue']],
    ['no tenant', nowhere, []],
    ['all tenants', everywhere, ['of blue', 'of red']],
  ] as const)('ask those of the caller’s tenant alone: %s', async (_name, principal, seen) => {
    const options = { principal }
    const then = new Date()
    await storage.audit.waitUntilSealed()
    expect((await projects.find(options)).map(({ title }) => title)).toEqual(seen)
    expect((await notes.find(options)).map(({ text }) => text)).toEqual(seen)
    expect((await projects.asOf(then).find(options)).map(({ title }) => title)).toEqual(seen)
    expect([await projects.count({}, options), await notes.count({}, options)]).toEqual([seen.length, seen.length])
    expect((await projects.page({ ...options, orderBy: ['-title'] })).total).toBe(seen.length)
    for (const [id, title] of [
      [1, 'of blue'],
      [2, 'of red'],
    ] as const) {
      const isSeen = (seen as readonly string[]).includes(title)
      expect((await projects.get(id, options)) !== null).toBe(isSeen)
      const changed = projects.update(id, { title: 'mine' }, { ...options, dryRun: true })
      if (isSeen) expect(await changed).toMatchObject({ title: 'mine' })
      else expect(await rejectionOf(changed)).toMatchObject({ code: 'not_found' })
      expect(await projects.delete(id, { ...options, dryRun: true }).catch(() => 'restricted')).toBe(isSeen ? 'restricted' : false)
      const { allowed } = await storage.explainAccess({ component: 'projects', operation: 'update', principal, id })
      expect(allowed).toBe(isSeen)
    }
  })
})
