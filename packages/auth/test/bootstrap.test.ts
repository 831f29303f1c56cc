import { defineAccess, defineModel, ModelAccessor } from '@strongroom/core'
import { bootstrap, createServer } from '@strongroom/fastify'
import { describeEngines } from '@strongroom/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PasswordAuthentication, passwordAuthentication, User, userAccess } from '../src/index.ts'

const Task = defineModel('tasks', { title: Type.String(), owner_id: Type.Integer() })
const secretKey = 'n0t-so-random-but-long-enough-Text-42!'
const password = 'correct horse battery staple'
const cheap = { memoryCost: 1024, timeCost: 1, parallelism: 1 }

describeEngines('a server whose users sign in', (database) => {
  let app: FastifyInstance
  let auth: PasswordAuthentication
  const tokens = new Map<string, string>()

  beforeAll(async () => {
    const users = new ModelAccessor(User, 'users')
    const tasks = new ModelAccessor(Task, 'tasks')
    auth = passwordAuthentication({ users, passwordHash: cheap, firstAdministrator: { email: 'root@example.com', password } })
    app = Fastify()
    await bootstrap(app, {
      accessors: [users, tasks],
      databaseUrl: await database.freshUrl(),
      access: [userAccess(), defineAccess(Task, { all: ['admin', ({ id }) => ({ owner_id: Number(id) })] })],
      auth,
      operators: { all: 'admin' },
    })
    const root = await signIn('root@example.com')
    for (const email of ['ann@example.com', 'bob@example.com']) {
      const made = await ask(root, 'POST', '/users', { email, password, roles: ['member'] })
      expect(made.statusCode, made.body).toBe(201)
      tokens.set(email, await signIn(email))
    }
    tokens.set('root@example.com', root)
  })

  afterAll(() => app.close())

  async function signIn(email: string): Promise<string> {
    const answer = await app.inject({ method: 'POST', url: '/auth/token', payload: { email, password } })
    expect(answer.statusCode, answer.body).toBe(200)
    return answer.json().access_token
  }

  const ask = (token: string | undefined, method: string, url: string, payload?: object) =>
    app.inject({ method: method as 'GET', url, headers: token ? { authorization: `Bearer ${token}` } : {}, ...(payload && { payload }) })

  test('shows its members their own records, and nobody else anything', async () => {
    const [ann, bob] = [tokens.get('ann@example.com'), tokens.get('bob@example.com')]
    const me = (await ask(ann, 'GET', '/auth/me')).json()
    expect((await ask(ann, 'POST', '/tasks', { title: 'mine', owner_id: me.id })).statusCode).toBe(201)
    expect((await ask(ann, 'POST', '/tasks', { title: 'theirs', owner_id: 1 })).statusCode).toBe(403)
    expect((await ask(ann, 'GET', '/tasks')).json()).toMatchObject([{ title: 'mine' }])
    expect((await ask(bob, 'GET', '/tasks')).json()).toEqual([])
    expect((await ask(undefined, 'GET', '/tasks')).statusCode).toBe(401)
    expect((await ask('nonsense', 'GET', '/tasks')).statusCode).toBe(401)
    expect((await ask(ann, 'GET', '/users')).json()).toMatchObject([{ email: 'ann@example.com' }])
    expect((await ask(ann, 'GET', '/users')).body).not.toContain('password')
  })

  test('opens the operators’ routes to the role that may use them, and its audit log names who did what', async () => {
    expect((await ask(tokens.get('ann@example.com'), 'GET', '/db/audit')).statusCode).toBe(403)
    expect((await ask(undefined, 'GET', '/db/audit')).statusCode).toBe(401)
    const entries = (await ask(tokens.get('root@example.com'), 'GET', '/db/audit?component=tasks')).json()
    expect(entries).toMatchObject([{ actor: 'ann@example.com', operation: 'create' }])
    expect(JSON.stringify(entries)).not.toContain('argon2')
  })

  test('turns a suspended user away at once', async () => {
    const bob = tokens.get('bob@example.com')
    const { id } = (await ask(bob, 'GET', '/auth/me')).json()
    const patch = { method: 'PATCH' as const, url: `/users/${id}`, payload: { disabled: true } }
    expect((await app.inject({ ...patch, headers: { authorization: `Bearer ${tokens.get('root@example.com')}` } })).statusCode).toBe(200)
    expect((await ask(bob, 'GET', '/tasks')).statusCode).toBe(401)
  })

  test('lets a program in with a key', async () => {
    const issued = await ask(tokens.get('ann@example.com'), 'POST', '/auth/api-keys', { name: 'robot' })
    const answer = await app.inject({ url: '/tasks', headers: { 'x-api-key': issued.json().key } })
    expect(answer.json()).toMatchObject([{ title: 'mine' }])
  })

  test('lets nothing come back with an old backup that ended since it was made', async () => {
    const root = tokens.get('root@example.com')
    const signedIn = (await app.inject({ method: 'POST', url: '/auth/token', payload: { email: 'ann@example.com', password } })).json()
    const issued = (await ask(signedIn.access_token, 'POST', '/auth/api-keys', { name: 'short-lived' })).json()
    const backup = (await ask(root, 'GET', '/db/backup.sqlite')).rawPayload
    expect((await ask(signedIn.access_token, 'DELETE', `/auth/api-keys/${issued.id}`)).statusCode).toBe(200)
    const changed = { current_password: password, new_password: `${password} again` }
    expect((await ask(signedIn.access_token, 'POST', '/auth/password', changed)).statusCode).toBe(200)
    const headers = { authorization: `Bearer ${root}`, 'content-type': 'application/x-sqlite3' }
    const restored = await app.inject({ method: 'POST', url: '/db/restore', headers, payload: backup })
    expect(restored.statusCode, restored.body).toBe(200)
    expect((await app.inject({ url: '/tasks', headers: { 'x-api-key': issued.key } })).statusCode).toBe(401)
    const refresh = { method: 'POST' as const, url: '/auth/refresh', payload: { refresh_token: signedIn.refresh_token } }
    expect((await app.inject(refresh)).statusCode).toBe(401)
    // The version of the credentials is that of the backup again, and the token's own.
    expect((await ask(signedIn.access_token, 'GET', '/tasks')).statusCode).toBe(401)
    expect((await ask(root, 'GET', '/tasks')).statusCode).toBe(401)
    const again = await signIn('ann@example.com')
    expect((await ask(again, 'GET', '/tasks')).statusCode).toBe(200)
  })

  test('has its routes and what it asks for in the document', async () => {
    const document = (await app.inject('/openapi.json')).json()
    expect(Object.keys(document.paths)).toContain('/auth/token')
    expect(document.security).toEqual([{ accessToken: [] }, { apiKey: [] }])
    expect(Object.keys(document.paths).some((path) => path.startsWith('/auth_sessions'))).toBe(false)
    expect((await app.inject('/auth_sessions')).statusCode).toBe(404)
  })

  test('takes its secret and times from the settings of a whole server', async () => {
    const told: unknown[] = []
    const server = await createServer({
      accessors: [new ModelAccessor(Task, 'tasks')],
      databaseUrl: await database.freshUrl(),
      port: 0,
      logger: false,
      secretKey,
      accessTokenExpireMinutes: 5,
      firstAdministrator: { email: 'root@example.com', password },
      operators: { all: 'admin' },
      auth: (settings) => {
        told.push(settings)
        return passwordAuthentication({ ...settings, passwordHash: cheap })
      },
    })
    const signedIn = await server.inject({ method: 'POST', url: '/auth/token', payload: { email: 'root@example.com', password } })
    await server.close()
    expect(signedIn.statusCode).toBe(200)
    const firstAdministrator = { email: 'root@example.com', password }
    expect(told).toEqual([{ secret: secretKey, accessTokenMinutes: 5, refreshTokenDays: 7, firstAdministrator }])
  })
})
