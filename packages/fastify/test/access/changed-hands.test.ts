import { defineAccess, defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootstrap, trustedHeader } from '../../src/index.ts'

const Letter = defineModel('letters', { org: Type.String(), owner: Type.String(), text: Type.String() }, { tenant: 'org' })

describeEngines('the past of a record that changed hands', (database) => {
  const letters = new ModelAccessor(Letter, 'letters')
  let app: FastifyInstance
  let id: number
  /** When it was Ann's. */
  let then: string

  beforeAll(async () => {
    app = Fastify()
    await bootstrap(app, {
      accessors: [letters],
      databaseUrl: await database.freshUrl(),
      access: [defineAccess(Letter, { all: ['admin', ({ id: own }) => ({ owner: String(own) })] })],
      auth: trustedHeader({ roles: 'x-roles', tenant: 'x-org' }),
    })
    id = (await letters.insert({ org: 'red', owner: 'ann', text: 'canary of Ann' })).id
    then = new Date().toISOString()
    // An instant is later than all that was committed in its millisecond.
    while (new Date().toISOString() === then) await new Promise((resolve) => setImmediate(resolve))
    await letters.update(id, { owner: 'bob', text: 'canary of Bob' })
    await app.storage.audit.waitUntilSealed()
  })

  afterAll(() => app.close())

  const ask = async (user: string, url: string, payload?: object) => {
    const headers = {
      'x-user': user,
      'x-org': user === 'eve' ? 'blue' : 'red',
      ...(['root', 'eve'].includes(user) && { 'x-roles': 'admin' }),
    }
    return app.inject({ url, headers, ...(payload && { method: 'POST', payload }) })
  }
  const paths = () => [`?at=${then}`, '/history', `/diff?from=${then}`].map((rest) => `/letters/${id}${rest}`)

  test.each(['ann', 'eve'])('%s, who may not read it now, learns nothing of it', async (user) => {
    for (const url of paths()) {
      const answer = await ask(user, url)
      expect([answer.statusCode, answer.body.includes('canary')], url).toEqual([404, false])
    }
    expect((await ask(user, `/letters?at=${then}`)).json()).toEqual([])
    expect((await ask(user, `/letters?at=${then}&count=exact&limit=1`)).headers['x-total-count']).toBe('0')
    expect((await ask(user, `/letters/${id}/revert`, { to: then })).statusCode).toBe(404)
  })

  test('Bob, whose it is now, sees nothing of what it was before', async () => {
    const [at, history, diff] = await Promise.all(paths().map((url) => ask('bob', url)))
    expect(at?.statusCode).toBe(404)
    expect([history?.statusCode, history?.json()]).toEqual([200, []])
    expect(diff?.json()).toMatchObject({ from: null, to: { text: 'canary of Bob' } })
    expect(`${at?.body}${history?.body}${diff?.body}`).not.toContain('Ann')
    expect((await ask('bob', `/letters?at=${then}`)).json()).toEqual([])
    expect((await ask('bob', `/letters/${id}/revert`, { to: then })).statusCode).toBe(404)
    expect(await letters.get(id)).toMatchObject({ owner: 'bob', text: 'canary of Bob' })
  })

  test('who may read all of it has it all', async () => {
    const [at, history, diff] = await Promise.all(paths().map((url) => ask('root', url)))
    expect(at?.json()).toMatchObject({ owner: 'ann', text: 'canary of Ann' })
    expect(history?.json()).toHaveLength(2)
    expect(diff?.json().changes.map(({ field }: { field: string }) => field)).toEqual(['owner', 'text'])
    expect((await ask('root', `/letters?at=${then}`)).json()).toMatchObject([{ text: 'canary of Ann' }])
    expect((await ask('root', `/letters/${id}/revert?dry_run=true`, { to: then })).json()).toMatchObject({ owner: 'ann' })
  })
})
