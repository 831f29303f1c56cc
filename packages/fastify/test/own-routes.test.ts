import { defineAccess, defineModel, ModelAccessor, type Principal, ValidationError } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootstrap, type OwnRoutes, principalOf, trustedHeader } from '../src/index.ts'

const Note = defineModel(
  'notes',
  { org: Type.String({ maxLength: 20 }), text: Type.String(), owner: Type.String() },
  { tenant: 'org', stamps: true },
)

describeEngines('routes of the program’s own', (engine) => {
  const notes = new ModelAccessor(Note, 'notes')
  let app: FastifyInstance

  const routes: OwnRoutes = {
    mount: (scope) => {
      scope.get('/latest', async (request) => ({
        latest: await notes.findOne({ orderBy: '-id' }),
        caller: principalOf(request)?.id ?? null,
      }))
      scope.post('/quick', async (request, reply) => {
        const { text }: { text?: unknown } = request.body ?? {}
        if (typeof text !== 'string') throw new ValidationError([{ path: 'text', message: 'must be text' }])
        const { id } = await notes.insert({ text, owner: String(principalOf(request)?.id) })
        return reply.code(201).send({ note: id })
      })
      scope.get('/notes/:id', async () => ({ mine: true }))
    },
    openApi: (prefix, problem) => ({
      paths: {
        [`${prefix}/latest`]: {
          get: {
            operationId: 'latest',
            responses: { default: { description: 'x', content: { 'application/json': { schema: problem } } } },
          },
        },
      },
      tag: { name: 'own', description: 'Own routes.' },
    }),
  }

  beforeAll(async () => {
    app = Fastify()
    const owns = ({ id }: Principal) => ({ owner: String(id) })
    await bootstrap(app, {
      accessors: [notes],
      databaseUrl: await engine.freshUrl(),
      access: [defineAccess(Note, { all: owns })],
      auth: trustedHeader({ tenant: 'x-org' }),
      operators: { all: 'operator' },
      prefix: '/api',
      routes,
    })
  })
  afterAll(() => app.close())

  const ask = async (who: string | null, method: 'GET' | 'POST', url: string, payload?: object) => {
    const answer = await app.inject({
      method,
      url,
      headers: who === null ? {} : { 'x-user': who, 'x-org': 'red' },
      ...(payload && { payload }),
    })
    return { status: answer.statusCode, type: answer.headers['content-type'], body: answer.json() }
  }

  test('run on behalf of whoever asks: rules, tenant and actor are the caller’s', async () => {
    expect(await ask('ann', 'POST', '/api/quick', { text: 'mine' })).toMatchObject({ status: 201 })
    expect((await ask('ann', 'GET', '/api/latest')).body).toMatchObject({
      latest: { text: 'mine', org: 'red', created_by: 'ann' },
      caller: 'ann',
    })
    expect((await ask('bob', 'GET', '/api/latest')).body).toEqual({ latest: null, caller: 'bob' })
  })

  test('answer errors as the server does, and ask those whom nobody knows to sign in', async () => {
    const faulty = await ask('ann', 'POST', '/api/quick', { text: 7 })
    expect(faulty).toMatchObject({ status: 422, body: { code: 'validation_failed', errors: [{ path: 'text' }] } })
    expect(faulty.type).toContain('application/problem+json')
    expect(await ask(null, 'POST', '/api/quick', { text: 'x' })).toMatchObject({ status: 401, body: { code: 'unauthorized' } })
  })

  test('come before those of the records, which keep the others', async () => {
    expect((await ask('ann', 'GET', '/api/notes/1')).body).toEqual({ mine: true })
    expect((await ask('ann', 'GET', '/api/notes')).body).toHaveLength(1)
  })

  test('stand in the OpenAPI document, beside what the library has at the same path', async () => {
    const { body } = await ask('ann', 'GET', '/api/openapi.json')
    expect(body.paths['/api/latest'].get.operationId).toBe('latest')
    expect(Object.keys(body.paths['/api/notes/{id}'])).toContain('patch')
    expect(body.tags).toContainEqual({ name: 'own', description: 'Own routes.' })
  })

  test('are refused where nothing mounts them', async () => {
    await expect(bootstrap(Fastify(), { accessors: [], routes: [] as never, databaseUrl: 'sqlite::memory:' })).rejects.toThrow(
      'routes is an object',
    )
  })
})
