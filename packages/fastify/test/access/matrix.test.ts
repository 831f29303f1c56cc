import type { Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bootstrap, trustedHeader } from '../../src/index.ts'
import { filesOf } from '../transfer-support.ts'
import {
  access,
  accessors,
  canary,
  everybody,
  folders,
  gone,
  markedFields,
  mayDo,
  mayDoAny,
  mayRead,
  maySee,
  type Operation,
  type PaperRecord,
  type Person,
  papers,
  people,
} from './matrix-house.ts'

const nameOf = (person: Person | undefined): string => person?.name ?? 'nobody'

describeEngines('every role, tenant, route and field', (database) => {
  const { folderAccessor, paperAccessor } = accessors()
  let app: FastifyInstance
  let storage: Storage
  /** After all records were made. */
  let moment: string
  const firstEntryOf = new Map<string, number>()

  beforeAll(async () => {
    app = Fastify()
    await bootstrap(app, {
      accessors: [folderAccessor, paperAccessor],
      databaseUrl: await database.freshUrl(),
      access,
      auth: trustedHeader({ roles: 'x-roles', tenant: 'x-org' }),
      operators: { audit: ['admin', 'reader'], changes: ['admin', 'reader'], export: ['admin', 'reader', 'member'] },
    })
    storage = app.storage
    await folderAccessor.insertMany(folders.map((folder) => ({ ...folder, title: canary(folder.id, 'title') })))
    await paperAccessor.insertMany(papers.map((paper) => whole(paper)))
    await paperAccessor.deleteMany(papers.filter(({ deleted }) => deleted).map(({ id }) => id))
    await paperAccessor.insert(whole(gone))
    await paperAccessor.purge(gone.id)
    moment = new Date().toISOString()
    const entries = await storage.audit.find({ component: 'papers', limit: 1000 })
    for (const entry of entries) firstEntryOf.set(String(entry.record_id), entry.id)
  })

  afterAll(() => app.close())

  const whole = (paper: PaperRecord) => ({
    id: paper.id,
    org: paper.org,
    owner: paper.owner,
    folder_id: `folder-${paper.folderOwner}`,
    title: canary(paper.id, 'title'),
    cost: canary(paper.id, 'cost'),
    remark: canary(paper.id, 'remark'),
    token: canary(paper.id, 'token'),
  })

  async function ask(
    person: Person | undefined,
    method: string,
    url: string,
    body?: object,
    accept?: string,
  ): Promise<LightMyRequestResponse> {
    const headers = person && { 'x-user': person.name, 'x-roles': person.roles.join(','), ...(person.org && { 'x-org': person.org }) }
    const answer = await app.inject({
      method: method as 'GET',
      url,
      headers: {
        ...headers,
        ...(accept && { accept, prefer: 'wait=0' }),
        ...(method === 'PATCH' && { 'content-type': 'application/json' }),
      },
      ...(body && { payload: body }),
    })
    expect(answer.statusCode, `${nameOf(person)} ${method} ${url} ${answer.body}`).toBeLessThan(500)
    expectNothingBeyond(person, answer, `${method} ${url}`)
    return answer
  }

  /** No byte of a record or field that the person may not read stands in an answer. */
  function expectNothingBeyond(person: Person | undefined, { body, headers }: LightMyRequestResponse, what: string): void {
    const text = body + JSON.stringify(headers)
    for (const paper of [...papers, gone])
      for (const field of markedFields)
        if (text.includes(canary(paper.id, field)))
          expect(
            person && mayDo(person, 'read', paper) && maySee(person, field),
            `${nameOf(person)} ${what} shows ${paper.id} ${field}`,
          ).toBe(true)
    for (const folder of folders)
      if (text.includes(canary(folder.id, 'title')))
        expect(mayRead(person, folder), `${nameOf(person)} ${what} shows ${folder.id}`).toBe(true)
  }

  const readable = (person: Person | undefined, deleted = false): PaperRecord[] =>
    papers.filter((paper) => (deleted || !paper.deleted) && mayDo(person, 'read', paper))
  const ids = (answer: LightMyRequestResponse): string[] => (answer.json() as { id: string }[]).map(({ id }) => id).sort()
  const closed = (person: Person | undefined): number => (person ? 403 : 401)

  describe.each(everybody.map((person) => ({ name: nameOf(person), person })))('$name', ({ person }) => {
    const may = (operation: Operation): boolean => mayDoAny(person, operation)

    test('lists, counts, groups and includes what the rules let through', async () => {
      const list = await ask(person, 'GET', '/papers')
      if (!person) return expect(list.statusCode).toBe(401)
      expect(ids(list)).toEqual(
        readable(person)
          .map(({ id }) => id)
          .sort(),
      )
      expect(list.headers['x-total-count']).toBe(String(readable(person).length))
      expect(ids(await ask(person, 'GET', '/papers?include_deleted=true'))).toEqual(
        readable(person, true)
          .map(({ id }) => id)
          .sort(),
      )
      const groups = (await ask(person, 'GET', '/papers/aggregate?measures=count,max:title&group_by=org')).json() as { count: number }[]
      expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(readable(person).length)
      await ask(person, 'GET', '/papers?include=folder')
      const parents = await ask(person, 'GET', '/folders?include=papers')
      expect(ids(parents)).toEqual(
        folders
          .filter((folder) => mayRead(person, folder))
          .map(({ id }) => id)
          .sort(),
      )
      const first = await ask(person, 'GET', '/papers?limit=1&sort=-title')
      const next = /<([^>]+)>; rel="next"/.exec(String(first.headers['link']))?.[1]
      if (next) await ask(person, 'GET', next)
      return undefined
    })

    test('gets each record, or the same 404 as for one that is missing', async () => {
      const missing = await ask(person, 'GET', '/papers/none')
      for (const paper of papers) {
        const answer = await ask(person, 'GET', `/papers/${paper.id}?include_deleted=true`)
        if (mayDo(person, 'read', paper)) {
          for (const field of markedFields) {
            expect(Object.hasOwn(answer.json(), field), `${nameOf(person)} ${field}`).toBe(person !== undefined && maySee(person, field))
          }
        } else expect(plain(answer, paper.id)).toEqual(plain(missing, 'none'))
      }
    })

    test('looks into the past of what it may read alone', async () => {
      const before = await snapshot()
      const time = encodeURIComponent(moment)
      const reads = [`?at=${time}&include_deleted=true`, '/history', `/diff?from=2000-01-01T00:00:00Z&to=${time}`]
      const missing = await Promise.all(reads.map((read) => ask(person, 'GET', `/papers/none${read}`)))
      const noRevert = await ask(person, 'POST', '/papers/none/revert?dry_run=true', { to: moment })
      for (const paper of [...papers, gone]) {
        const isSeen = mayDo(person, 'read', paper)
        for (const [index, read] of reads.entries()) {
          const answer = await ask(person, 'GET', `/papers/${paper.id}${read}`)
          if (!isSeen) expect(plain(answer, paper.id), read).toEqual(plain(missing[index] as LightMyRequestResponse, 'none'))
          // What was gone at both moments is gone but for its history.
          else if (paper !== gone || read === '/history') expect(answer.statusCode, `${paper.id}${read} ${answer.body}`).toBe(200)
        }
        // Back to what it is, to before it was, to when it was made, and to an entry of another record.
        for (const to of [moment, '2000-01-01T00:00:00Z', firstEntryOf.get(paper.id), firstEntryOf.get('paper-red-ann-ann-live')]) {
          const answer = await ask(person, 'POST', `/papers/${paper.id}/revert?dry_run=true`, { to })
          if (!isSeen) expect(plain(answer, paper.id), `${paper.id} to ${to}`).toEqual(plain(noRevert, 'none'))
          else if (!mayDo(person, 'update', paper)) expect(answer.statusCode, `${paper.id} to ${to}`).toBeGreaterThanOrEqual(400)
        }
      }
      const listed = await ask(person, 'GET', `/papers?at=${time}&limit=100`)
      expect(listed.statusCode).toBe(may('read') ? 200 : closed(person))
      if (may('read')) {
        expect(ids(listed)).toEqual(
          readable(person)
            .map(({ id }) => id)
            .sort(),
        )
        expect(listed.headers['x-total-count']).toBe(String(readable(person).length))
      }
      expect(await snapshot()).toBe(before)
    })

    test('asks by fields that it may read alone; the others are like fields that do not exist', async () => {
      for (const field of ['cost', 'token'] as const) {
        const seen = person !== undefined && maySee(person, field)
        for (const question of [
          `?${field}=x`,
          `?${field}[starts_with]=a`,
          `?or=(title.eq.x,${field}.eq.y)`,
          `?sort=${field}`,
          `?sort=-${field},title`,
          `?fields=${field}`,
          `/aggregate?measures=max:${field}`,
          `/aggregate?measures=count&group_by=${field}`,
        ]) {
          const answer = await ask(person, 'GET', `/papers${question}`)
          const unknown = await ask(person, 'GET', `/papers${question.replaceAll(field, 'nonsense')}`)
          if (seen) expect(answer.statusCode, question).toBe(200)
          else expect(plain(answer, field), question).toEqual(plain(unknown, 'nonsense'))
        }
      }
    })

    test('writes what the rules let through, and nothing else', async () => {
      const before = await snapshot()
      for (const paper of papers) {
        const seen = mayDo(person, 'read', paper)
        const expected = (operation: Operation, live: boolean): number => {
          if (!may(operation)) return closed(person)
          if (!seen || (live && paper.deleted)) return 404
          return mayDo(person, operation, paper) ? 200 : 403
        }
        const path = `/papers/${paper.id}`
        const status = async (method: string, url: string, body?: object): Promise<number> =>
          (await ask(person, method, url, body)).statusCode
        expect(await status('PATCH', `${path}?dry_run=true`, { title: 'new' }), `PATCH ${path}`).toBe(expected('update', true))
        expect(await status('DELETE', `${path}?dry_run=true`), `DELETE ${path}`).toBe(expected('delete', true))
        expect(await status('DELETE', `${path}?purge=true&dry_run=true`), `purge ${path}`).toBe(expected('purge', false))
        expect(await status('POST', `${path}/restore?dry_run=true`), `restore ${path}`).toBe(expected('restore', false))
        if (!mayDo(person, 'update', paper)) {
          // for good, so that what is refused is seen to leave nothing
          expect(await status('PATCH', path, { title: 'new' })).toBeGreaterThanOrEqual(400)
          expect(await status('PUT', path, { title: 'new' })).toBeGreaterThanOrEqual(400)
          const operations = [{ method: 'patch', component: 'papers', id: paper.id, body: { title: 'new' } }]
          expect(await status('POST', '/batch', { operations })).toBeGreaterThanOrEqual(400)
        }
        if (!mayDo(person, 'delete', paper)) {
          expect(await status('DELETE', path)).toBeGreaterThanOrEqual(400)
          await ask(person, 'DELETE', `/papers?id=${paper.id}&at_most=100`)
          await ask(person, 'PATCH', `/papers?id=${paper.id}&at_most=100&dry_run=true`, { title: 'new' })
        }
      }
      expect(await snapshot()).toBe(before)
    })

    test('makes records of its own tenant, under the rules, that point to what it may read', async () => {
      for (const folder of folders) {
        const body = { id: `new-${folder.id}`, title: 't', owner: nameOf(person), cost: 'c', remark: 'r', folder_id: folder.id }
        const { remark: _, cost: __, ...open } = body
        const answer = await ask(person, 'POST', '/papers?dry_run=true', person?.roles.includes('admin') ? body : open)
        const admin = person?.roles.includes('admin') === true
        const points = mayRead(person, folder)
        // the token and, for others than admins, fields that must be given are closed: such a record cannot be made by them
        if (!person) expect(answer.statusCode).toBe(401)
        else if (!person.org) expect(answer.statusCode).toBe(403)
        else if (admin && points) expect(answer.statusCode, answer.body).toBe(422)
        else expect(answer.statusCode).toBeGreaterThanOrEqual(400)
      }
    })

    test('reads the log of its own tenant alone', async () => {
      const answer = await ask(person, 'GET', '/db/audit?limit=1000')
      const allowed = person?.roles.some((role) => role === 'admin' || role === 'reader')
      expect(answer.statusCode).toBe(allowed ? 200 : closed(person))
    })

    test('follows the changes of what the rules let through', async () => {
      await storage.audit.waitUntilSealed()
      const follow = (path: string) => ask(person, 'GET', `${path}?after=start&limit=1000`, undefined, 'application/json')
      const answer = await follow('/papers/changes')
      if (!person) return expect(answer.statusCode).toBe(401)
      const { changes } = answer.json() as { changes: { record_id: string }[] }
      const told = new Set(changes.map(({ record_id: id }) => id))
      expect(papers.filter(({ id }) => told.has(id))).toEqual(readable(person, true))
      await follow('/folders/changes')
      const log = await follow('/db/changes')
      expect(log.statusCode).toBe(person.roles.some((role) => role === 'admin' || role === 'reader') ? 200 : 403)
      return undefined
    })

    test('exports what the rules let through', async () => {
      const answer = await ask(person, 'GET', '/db/export.zip')
      if (!person) return expect(answer.statusCode).toBe(401)
      expect(answer.statusCode).toBe(200)
      const files = await filesOf(answer.rawPayload)
      for (const [name, body] of files) expectNothingBeyond(person, { ...answer, body }, name)
      const exported = [...(files.get('papers.csv') ?? '').matchAll(/^(paper-[\w-]+),/gm)].map(([, id]) => id)
      expect(exported.sort()).toEqual(
        readable(person, true)
          .map(({ id }) => id)
          .sort(),
      )
      const log = files.get('strongroom_audit_log.csv') ?? ''
      for (const { org } of people) if (org !== person.org) expect(log).not.toContain(`,${org},`)
      return undefined
    })
  })

  /** An answer without what names the record or field, and without what differs from request to request. */
  function plain({ statusCode, body }: LightMyRequestResponse, name: string): object {
    const { instance: _, request_id: __, ...problem } = JSON.parse(body) as Record<string, unknown>
    return { statusCode, problem: JSON.parse(JSON.stringify(problem).replaceAll(name, '…')) }
  }

  async function snapshot(): Promise<string> {
    const rows = await paperAccessor.find({ includeDeleted: true })
    return JSON.stringify([rows, await folderAccessor.find(), await storage.audit.count()])
  }
})
