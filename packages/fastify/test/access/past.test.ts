import type { Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootstrap, trustedHeader } from '../../src/index.ts'
import {
  access,
  accessors,
  canary,
  everybody,
  folders,
  markedFields,
  mayDo,
  maySee,
  type PaperRecord,
  type Person,
  papers,
} from './matrix-house.ts'

/** Whose a paper was before it was given to its owner of now. */
function formerly(paper: PaperRecord): PaperRecord {
  const [org] = paper.owner.split('-')
  return { ...paper, owner: paper.owner.endsWith('ann') ? `${org}-bob` : `${org}-ann` }
}

const live = papers.filter(({ deleted }) => !deleted)

describeEngines('the past, for every role and tenant', (database) => {
  const { folderAccessor, paperAccessor } = accessors()
  let app: FastifyInstance
  let storage: Storage
  let before: string

  beforeAll(async () => {
    app = Fastify()
    await bootstrap(app, {
      accessors: [folderAccessor, paperAccessor],
      databaseUrl: await database.freshUrl(),
      access,
      auth: trustedHeader({ roles: 'x-roles', tenant: 'x-org' }),
      operators: { revert: ['admin', 'reader'] },
    })
    storage = app.storage
    await folderAccessor.insertMany(folders.map((folder) => ({ ...folder, title: canary(folder.id, 'title') })))
    await paperAccessor.insertMany(papers.map((paper) => whole(formerly(paper), ' once')))
    await paperAccessor.deleteMany(papers.filter(({ deleted }) => deleted).map(({ id }) => id))
    await storage.audit.waitUntilSealed()
    before = await instant()
    await storage.actingAs({ requestId: 'handed over' }, async () => {
      for (const { id, owner } of live) await paperAccessor.update(id, { owner, remark: canary(id, 'remark'), cost: canary(id, 'cost') })
    })
    await storage.audit.waitUntilSealed()
  })

  afterAll(() => app.close())

  /** An instant before and after which the clock has gone on. */
  async function instant(): Promise<string> {
    const until = async (time: number): Promise<void> => {
      while (Date.now() <= time) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(Date.now())
    const time = new Date()
    await until(time.getTime())
    return time.toISOString()
  }

  const whole = (paper: PaperRecord, mark: string) => ({
    id: paper.id,
    org: paper.org,
    owner: paper.owner,
    folder_id: `folder-${paper.folderOwner}`,
    title: canary(paper.id, 'title'),
    cost: canary(paper.id, 'cost') + mark,
    remark: canary(paper.id, 'remark') + mark,
    token: canary(paper.id, 'token'),
  })

  async function ask(person: Person | undefined, method: 'GET' | 'POST', url: string, payload?: object): Promise<LightMyRequestResponse> {
    const headers = person && { 'x-user': person.name, 'x-roles': person.roles.join(','), ...(person.org && { 'x-org': person.org }) }
    const answer = await app.inject({ method, url, ...(headers && { headers }), ...(payload && { payload }) })
    expect(answer.statusCode, `${person?.name} ${method} ${url} ${answer.body}`).toBeLessThan(500)
    for (const paper of papers)
      for (const field of markedFields)
        if (answer.body.includes(canary(paper.id, field)))
          expect(
            person && mayDo(person, 'read', paper) && maySee(person, field),
            `${person?.name} ${method} ${url} shows ${paper.id} ${field}`,
          ).toBe(true)
    return answer
  }

  /** The same words for what is missing and for what is somebody else's. */
  function plain({ statusCode, body }: LightMyRequestResponse, name: string): object {
    const { instance: _, request_id: __, ...problem } = JSON.parse(body) as Record<string, unknown>
    return { statusCode, problem: JSON.parse(JSON.stringify(problem).replaceAll(name, '…')) }
  }

  const now = (person: Person | undefined) => live.filter((paper) => mayDo(person, 'read', paper))
  const then = (person: Person | undefined) => now(person).filter((paper) => mayDo(person, 'read', formerly(paper)))
  const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id).sort()

  describe.each(everybody.map((person) => ({ name: person?.name ?? 'nobody', person })))('$name', ({ person }) => {
    test('lists what it may read now and might have read then, and counts no more', async () => {
      const list = await ask(person, 'GET', `/papers?at=${before}`)
      if (!person) return expect(list.statusCode).toBe(401)
      expect(idsOf(list.json())).toEqual(idsOf(then(person)))
      expect(list.headers['x-total-count']).toBe(String(then(person).length))
      const mine = await ask(person, 'GET', `/papers?at=${before}&owner=${person.name}&sort=-title`)
      expect(idsOf(mine.json())).toEqual(idsOf(then(person).filter((paper) => formerly(paper).owner === person.name)))
      for (const field of ['cost', 'token'] as const) {
        const asked = await ask(person, 'GET', `/papers?at=${before}&${field}[starts_with]=a`)
        if (!maySee(person, field)) expect(asked.statusCode).toBe(400)
      }
      return undefined
    })

    test('gets, compares and follows a record that it may read; others are like those that are missing', async () => {
      const answers = async (id: string) => ({
        get: await ask(person, 'GET', `/papers/${id}?at=${before}`),
        history: await ask(person, 'GET', `/papers/${id}/history`),
        diff: await ask(person, 'GET', `/papers/${id}/diff?from=${before}`),
      })
      const missing = await answers('none')
      for (const paper of live) {
        const { get, history, diff } = await answers(paper.id)
        const [isSeenNow, isSeenThen] = [now(person), then(person)].map((list) => list.includes(paper))
        if (isSeenThen) {
          for (const field of markedFields) expect(Object.hasOwn(get.json(), field)).toBe(person !== undefined && maySee(person, field))
        } else expect(plain(get, paper.id)).toEqual(plain(missing.get, 'none'))
        if (isSeenNow) {
          // An entry shows what was before and after it: both must be for this caller.
          expect((history.json() as unknown[]).length).toBe(isSeenThen ? 2 : 0)
          const told = diff.json() as { from: unknown; to: unknown }
          expect([told.from === null, told.to === null]).toEqual([!isSeenThen, false])
        } else {
          expect(plain(history, paper.id)).toEqual(plain(missing.history, 'none'))
          expect(plain(diff, paper.id)).toEqual(plain(missing.diff, 'none'))
        }
      }
    })

    test('takes back what it may change, to what it might have read', async () => {
      const earlier = await snapshot()
      for (const paper of papers) {
        const answer = await ask(person, 'POST', `/papers/${paper.id}/revert?dry_run=true`, { to: before })
        // The deleted ones were given to nobody.
        const isSeen = mayDo(person, 'read', paper.deleted ? formerly(paper) : paper)
        const isSeenThen = isSeen && mayDo(person, 'read', formerly(paper))
        // Whoever is not its owner any more may not write it; who becomes it by that was none.
        const mayWrite = mayDo(person, 'update', paper) && mayDo(person, 'update', formerly(paper))
        if (!person) expect(answer.statusCode).toBe(401)
        else if (!isSeen || (!paper.deleted && !isSeenThen)) expect(answer.statusCode, `${person.name} ${paper.id}`).toBe(404)
        else if (!paper.deleted) expect(answer.statusCode, `${person.name} ${paper.id} ${answer.body}`).toBe(mayWrite ? 200 : 403)
        else expect(answer.statusCode).toBeGreaterThanOrEqual(400)
        if (!mayWrite)
          expect((await ask(person, 'POST', `/papers/${paper.id}/revert`, { to: before })).statusCode).toBeGreaterThanOrEqual(400)
      }
      expect(await snapshot()).toBe(earlier)
    })

    test('undoes no request of several tenants', async () => {
      const earlier = await snapshot()
      const answer = await ask(person, 'POST', '/db/revert?dry_run=true', { request_id: 'handed over' })
      // What a request did may be of several tenants: operators who belong to one do not undo it.
      if (!person) expect(answer.statusCode).toBe(401)
      else if (person.org || !person.roles.includes('admin')) expect(answer.statusCode).toBe(403)
      else expect(answer.statusCode).toBeGreaterThanOrEqual(400)
      expect(await snapshot()).toBe(earlier)
    })
  })

  async function snapshot(): Promise<string> {
    return JSON.stringify([await paperAccessor.find({ includeDeleted: true }), await storage.audit.count()])
  }
})
