import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { bootstrap } from '../src/index.ts'

describeEngines('a revert with an Idempotency-Key', (engine) => {
  test('goes back to a moment that has just passed, while others write', async () => {
    const notes = new ModelAccessor(defineModel('notes', { text: Type.String() }), 'notes')
    const app = Fastify()
    onTestFinished(() => app.close())
    await bootstrap(app, { accessors: [notes], databaseUrl: await engine.freshUrl(), operators: () => true })
    const call = async (method: 'POST' | 'PATCH', url: string, payload: object, key?: string) => {
      const headers = { 'x-user': 'ann', ...(key !== undefined && { 'idempotency-key': key }) }
      return (await app.inject({ method, url, headers, payload })).statusCode
    }
    for (let id = 1; id <= 10; id++) {
      await call('POST', '/notes', { text: 'first' })
      const statuses = await Promise.all([
        call('PATCH', `/notes/${id}`, { text: 'second' }),
        call('POST', `/notes/${id}/revert`, { to: new Date().toISOString() }, `one ${id}`),
        call('POST', `/notes/${id}/revert`, { to: new Date().toISOString() }, `two ${id}`),
      ])
      expect(statuses).toEqual([200, 200, 200])
    }
  })

  test('is done once for many records, too, answered alike when it comes again, and not kept where it is refused', async () => {
    const notes = new ModelAccessor(defineModel('notes', { text: Type.String() }), 'notes')
    const app = Fastify()
    onTestFinished(() => app.close())
    await bootstrap(app, { accessors: [notes], databaseUrl: await engine.freshUrl(), operators: () => true })
    // From two thousand entries on the work is another thread's, where there is one.
    await notes.insertMany(
      Array.from({ length: 2_000 }, (_, index) => ({ text: `note ${index}` })),
      { requestId: 'many' },
    )
    await notes.update(1, { text: 'mine' }, { requestId: 'mine' })
    const revert = async (payload: object, key: string, query = '', user = 'ann') => {
      const headers = { 'x-user': user, 'idempotency-key': key }
      const { statusCode, headers: answered, body } = await app.inject({ method: 'POST', url: `/db/revert${query}`, headers, payload })
      return { status: statusCode, replayed: answered['idempotent-replayed'], body: JSON.parse(body) as Record<string, unknown> }
    }
    expect(await revert({ request_id: 'many' }, 'one')).toMatchObject({ status: 409, replayed: undefined })
    expect(await revert({ request_id: 'many', conflicts: 'skip' }, 'one', '?dry_run=true')).toMatchObject({
      status: 200,
      replayed: undefined,
    })
    const [first, second] = await Promise.all(['one', 'one'].map((key) => revert({ request_id: 'many', conflicts: 'skip' }, key)))
    expect([first?.status, second?.status].filter((status) => status === 200).length).toBeGreaterThanOrEqual(1)
    const again = await revert({ request_id: 'many', conflicts: 'skip' }, 'one')
    expect(again).toMatchObject({
      status: 200,
      replayed: 'true',
      body: { applied: true, components: [{ component: 'notes', deleted: 1_999 }] },
    })
    for (const answer of [first, second]) if (answer?.status === 200) expect(answer.body).toEqual(again.body)
    expect(await notes.count()).toBe(1)
    expect(await app.storage.audit.count({ operation: 'delete' })).toBe(1_999)
    // Another question is another matter, and so is another one who asks.
    expect(await revert({ request_id: 'mine' }, 'one')).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } })
    expect(await revert({ request_id: 'mine' }, 'one', '', 'ben')).toMatchObject({ status: 200, replayed: undefined })
    expect((await notes.get(1))?.text).toBe('note 0')
    expect(await revert({ request_id: 'nobody' }, 'two')).toMatchObject({ status: 404 })
    expect((await app.inject({ method: 'POST', url: '/db/revert', headers: { 'idempotency-key': 'é' }, payload: {} })).statusCode).toBe(400)
  })
})
