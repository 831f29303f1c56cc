import { defineModel, ModelAccessor } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify from 'fastify'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { bootstrap, trustedHeader } from '../../src/index.ts'
import { closeAfterTest } from '../support.ts'

const Note = defineModel('notes', { text: Type.String() }, { stamps: true })

describeEngines('a header that is trusted', (database) => {
  test('names whoever writes where there are no rules, and has to be there', async () => {
    const app = closeAfterTest(Fastify())
    const notes = new ModelAccessor(Note, 'notes')
    await bootstrap(app, { accessors: [notes], databaseUrl: await database.freshUrl(), auth: trustedHeader({ user: 'x-login' }) })
    const post = (headers: Record<string, string>) => app.inject({ method: 'POST', url: '/notes', headers, payload: { text: 'x' } })
    expect((await post({ 'x-login': 'alice' })).json()).toMatchObject({ created_by: 'alice' })
    expect((await post({ 'x-user': 'alice' })).json()).toMatchObject({ status: 400, code: 'missing_actor' })
    expect((await app.inject('/notes')).json()).toHaveLength(1)
    expect(await app.storage.audit.find()).toMatchObject([{ actor: 'alice', request_id: expect.any(String) }])
  })

  test('is described in the document as what a caller has to send', async () => {
    const app = closeAfterTest(Fastify())
    const notes = new ModelAccessor(Note, 'notes')
    await bootstrap(app, { accessors: [notes], databaseUrl: await database.freshUrl(), auth: trustedHeader(), access: [] })
    const document = (await app.inject('/openapi.json')).json()
    expect(document.security).toEqual([{ user: [] }])
    expect(document.components.securitySchemes).toMatchObject({ user: { type: 'apiKey', in: 'header', name: 'x-user' } })
    expect(document.paths['/notes'].post.responses).toHaveProperty('401')
    const answer = await app.inject({ method: 'POST', url: '/notes', payload: { text: 'x' } })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
  })
})

describe('trustedHeader', () => {
  test.each([[{ user: 'a b' }], [{ roles: '' }], [{ name: 'x-user' }]])('refuses %j with a sentence', (options) => {
    expect(() => trustedHeader(options as never)).toThrow(/trustedHeader/)
  })
})
