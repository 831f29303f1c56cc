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
})
