import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { bootstrap } from '../src/index.ts'
import { closeAfterTest, expectProblem } from './support.ts'

const Text = defineModel('texts', { body: Type.String() })

/** Each is slow to look for in a long row of the letter a: one for searches that compare from the front, one for those from the back. */
const bomb = `or=(body.contains.${'a'.repeat(8_000)}b,body.contains.b${'a'.repeat(800)})`

describeEngines('a request that asks too much', (engine) => {
  test('is stopped with a sentence that helps, and the server goes on', async () => {
    const texts = new ModelAccessor(Text, 'texts')
    const app = closeAfterTest(Fastify())
    await bootstrap(app, { accessors: [texts], databaseUrl: await engine.freshUrl(), readTimeLimit: 100 })
    await texts.insertMany(Array.from({ length: 100 }, () => ({ body: 'a'.repeat(100_000) })))
    for (const url of [`/texts?${bomb}`, `/texts?${bomb}&sort=-body&fields=id&limit=1`, `/texts/aggregate?measures=count&${bomb}`]) {
      const response = await app.inject({ url })
      expect(response.statusCode, response.body.slice(0, 300)).toBe(400)
      expectProblem(response)
      expect(response.json()).toMatchObject({
        code: 'query_timeout',
        title: 'Query took too long',
        detail: expect.stringContaining('Narrow the filter'),
      })
      expect(await app.inject({ url: '/texts/7?fields=id' })).toMatchObject({ statusCode: 200, body: '{"id":7}' })
    }
  })
})
