import { defineModel, type Migration, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { beforeEach, expect, test } from 'vitest'
import { type BootstrapOptions, bootstrap } from '../src/index.ts'
import { closeAfterTest } from './support.ts'

const Before = defineModel('notes', { text: Type.String() })
const After = defineModel('notes', { body: Type.String(), stars: Type.Integer() })

const rename: Migration = {
  name: '20260101000000_body_and_stars',
  up: (_db, schema) => schema.alterTable('notes', { renameFields: { text: 'body' }, addFields: { stars: { type: 'integer', fill: 3 } } }),
}

describeEngines('a server that opens with migrations', (engine) => {
  let databaseUrl: string
  const start = async (model: typeof Before | typeof After, options: Partial<BootstrapOptions> = {}): Promise<FastifyInstance> => {
    const app = Fastify()
    await bootstrap(app, { accessors: [new ModelAccessor(model, 'notes')], databaseUrl, ...options })
    return closeAfterTest(app)
  }

  beforeEach(async () => {
    databaseUrl = await engine.freshUrl()
    const app = await start(Before)
    await app.inject({ method: 'POST', url: '/notes', headers: { 'x-user': 'ada' }, payload: { text: 'three apples' } })
    await app.close()
  })

  test('serves the records as they are afterwards, and tells of it in the log; the next start has nothing to do', async () => {
    for (const _start of ['first', 'second']) {
      const app = await start(After, { migrations: [rename] })
      expect((await app.inject('/notes/1')).json()).toEqual({ id: 1, body: 'three apples', stars: 3 })
      const entries = (await app.inject('/db/audit?component=strongroom_migrations')).json()
      expect(entries).toMatchObject([{ after: { name: rename.name } }])
      expect((await app.inject('/db/health')).json()).toMatchObject({ status: 'ok' })
      await app.close()
    }
  })

  test('says what to run where they are missing, and leaves the app as it was', async () => {
    const app = Fastify()
    const opening = bootstrap(app, { accessors: [new ModelAccessor(After, 'notes')], databaseUrl })
    await expect(opening).rejects.toMatchObject({ code: 'schema_mismatch', message: expect.stringContaining('strongroom migrate') })
    expect(app.hasDecorator('storage')).toBe(false)
    await app.close()
    expect((await (await start(Before)).inject('/notes/1')).json()).toEqual({ id: 1, text: 'three apples' })
  })
})
