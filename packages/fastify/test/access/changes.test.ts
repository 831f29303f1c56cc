import { defineAccess, defineModel, ModelAccessor, type Principal, StrongroomError } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { bootstrap } from '../../src/index.ts'
import { Events, told } from '../event-support.ts'

const Note = defineModel('notes', { text: Type.String(), owner: Type.String() })

describeEngines('the feed of changes over HTTP, with a login', (engine) => {
  const json = { accept: 'application/json' }
  const access = [defineAccess(Note, { read: ['reader', ({ id }: Principal) => ({ owner: String(id) })], create: true })]
  const house = async () => {
    const people = new Map<string, Principal | 'gone'>([
      ['ann', { id: 'ann', roles: [] }],
      ['bob', { id: 'bob', roles: ['reader'] }],
      ['olga', { id: 'olga', roles: ['operator', 'reader'] }],
    ])
    const auth = {
      authenticate: ({ headers }: { headers: Record<string, unknown> }) => {
        const person = people.get(String(headers['x-person']))
        if (person === 'gone') throw new StrongroomError('unauthorized', 'You are gone.')
        return person ?? null
      },
    }
    const app = Fastify({ forceCloseConnections: false })
    onTestFinished(() => app.close())
    const notes = new ModelAccessor(Note, 'notes')
    const databaseUrl = await engine.freshUrl()
    await bootstrap(app, {
      accessors: [notes],
      databaseUrl,
      auth,
      access,
      operators: { all: 'operator' },
      systemRoutes: { metrics: false },
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return { people, app, url, add: (text: string, owner: string) => notes.insert({ text, owner }, { actor: 'code' }) }
  }
  const as = (person: string) => ({ 'x-person': person })

  test('shows each caller what it may read, and nobody else anything', async () => {
    const { app, url, add } = await house()
    for (const owner of ['ann', 'bob', 'ann']) await add(`of ${owner}`, owner)
    await app.storage.audit.waitUntilSealed()
    const ids = async (person: string, path = '/notes/changes') => {
      const answer = await fetch(`${url}${path}?after=start`, { headers: { ...json, ...as(person), prefer: 'wait=1' } })
      if (answer.status !== 200) return answer.status
      return ((await answer.json()) as { changes: { record_id: number }[] }).changes.map(({ record_id: id }) => id)
    }
    expect(await ids('olga', '/db/changes')).toEqual([1, 2, 3])
    expect(await ids('ann')).toEqual([1, 3])
    expect(await ids('bob')).toEqual([1, 2, 3])
    expect(await ids('bob', '/db/changes')).toBe(403)
    expect(await ids('nobody')).toBe(401)
    expect(await ids('nobody', '/db/changes')).toBe(401)
  })

  test('ends when the caller loses what it was allowed, before anything more is told', async () => {
    const { people, url, add } = await house()
    const open = async (person: string, path: string) => {
      const feed = await Events.open(`${url}${path}`, as(person))
      return { feed, person }
    }
    const feeds = await Promise.all([open('bob', '/notes/changes'), open('ann', '/notes/changes'), open('olga', '/db/changes')])
    await add('first', 'ann')
    for (const { feed, person } of feeds) expect(await feed.next(1), person).toHaveLength(1)
    people.set('bob', 'gone').set('olga', { id: 'olga', roles: ['reader'] })
    await add('second', 'ann')
    const [bob, ann, olga] = await Promise.all(feeds.map(({ feed }) => feed.next(1)))
    expect([bob, olga]).toEqual([[], []])
    expect(ann).toHaveLength(1)
    // What a caller may read is asked anew, too: bob comes back as somebody who reads his own.
    people.set('bob', { id: 'bob', roles: [] })
    const again = await Events.open(`${url}/notes/changes?after=start`, as('bob'))
    await add('third', 'bob')
    expect((await again.next(1)).map(told)).toEqual([['1:3', 'create', 3]])
    for (const { feed } of [...feeds, { feed: again }]) feed.close()
  })

  test('lets one caller follow 32 feeds at a time', async () => {
    const { url } = await house()
    const feeds = await Promise.all(Array.from({ length: 32 }, () => Events.open(`${url}/notes/changes`, as('bob'))))
    expect(new Set(feeds.map(({ response }) => response.status))).toEqual(new Set([200]))
    const refused = await fetch(`${url}/notes/changes`, { headers: as('bob') })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10'])
    expect(await refused.json()).toMatchObject({ code: 'server_busy' })
    const other = await Events.open(`${url}/notes/changes`, as('ann'))
    expect(other.response.status).toBe(200)
    for (const feed of [...feeds, other]) feed.close()
  })
})
