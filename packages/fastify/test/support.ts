import {
  type AuditOperation,
  Bytes,
  DateTime,
  Decimal,
  Default,
  defineModel,
  Int64,
  Json,
  ModelAccessor,
  Ref,
  type Storage,
  ValidationError,
} from '@strongroom/core'
import type { TestEngine } from '@strongroom/testkit'
import Fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import { Type } from 'typebox'
import { expect, onTestFinished } from 'vitest'
import { type BootstrapOptions, bootstrap } from '../src/index.ts'

/** A model with a field of every kind and every option. */
export const User = defineModel(
  'users',
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    email: Type.String({ format: 'email' }),
    role: Default(Type.Enum(['operator', 'admin']), 'operator'),
    age: Type.Optional(Type.Integer({ minimum: 0 })),
    active: Default(Type.Boolean(), true),
    balance: Type.Optional(Decimal({ precision: 12, scale: 2 })),
    visits: Type.Optional(Int64()),
    born: Type.Optional(DateTime()),
    settings: Type.Optional(Json()),
    photo: Type.Optional(Bytes({ maxLength: 100 })),
    level: Default(Type.Integer(), 1),
    code: Type.Optional(Type.String()),
    password_hash: Type.Optional(Type.String()),
  },
  { softDelete: true, stamps: true, unique: [['email']], secret: ['password_hash'], readOnly: ['level'], immutable: ['code'] },
)

/** Ids are made by the server, and records are removed for good. */
export const Product = defineModel('products', { name: Type.String(), owner: Type.Optional(Ref(() => User)) }, { id: 'uuid' })

/** Ids are given by the client. */
export const Tag = defineModel(
  'tags',
  { limit: Default(Type.Integer(), 0), label: Type.Optional(Type.String()) },
  { id: 'text', softDelete: true },
)

/** A server with its accessors, and what they did. */
export interface TestServer {
  readonly app: FastifyInstance
  readonly storage: Storage
  readonly users: ModelAccessor<typeof User>
  readonly products: ModelAccessor<typeof Product>
  readonly tags: ModelAccessor<typeof Tag>
  /** Moments at which hooks of users ran, in order. */
  readonly hooks: string[]
}

/** Keeps an app until the test is over. */
export function closeAfterTest<App extends FastifyInstance>(app: App): App {
  onTestFinished(() => app.close())
  return app
}

export function makeAccessors(): Pick<TestServer, 'users' | 'products' | 'tags' | 'hooks'> {
  const users = new ModelAccessor(User, 'users')
  const hooks: string[] = []
  for (const moment of [
    'beforeInsert',
    'afterInsert',
    'beforeUpdate',
    'afterUpdate',
    'beforeDelete',
    'afterDelete',
    'beforeRestore',
    'afterRestore',
  ] as const) {
    users[moment](({ record }) => {
      hooks.push(moment)
      if (record.name === `throws in ${moment}`) throw new Error('a secret of the server: /etc/passwd')
      if (record.name === `refused in ${moment}`) throw new ValidationError([{ path: 'name', message: 'is not welcome here' }])
    })
  }
  users.afterCommit(() => hooks.push('afterCommit'))
  return { users, products: new ModelAccessor(Product, 'products'), tags: new ModelAccessor(Tag, 'tags'), hooks }
}

/** A server in memory on an empty database of the engine. */
export async function startServer(
  engine: TestEngine,
  options: Partial<BootstrapOptions> = {},
  host: FastifyInstance = Fastify(),
): Promise<TestServer> {
  return serve(engine, options, closeAfterTest(host))
}

/** A server for a whole suite, which closes it itself. */
export async function lastingServer(engine: TestEngine, options: Partial<BootstrapOptions> = {}): Promise<TestServer> {
  return serve(engine, options, Fastify())
}

async function serve(engine: TestEngine, options: Partial<BootstrapOptions>, app: FastifyInstance): Promise<TestServer> {
  const accessors = makeAccessors()
  await bootstrap(app, {
    accessors: [accessors.users, accessors.products, accessors.tags],
    databaseUrl: await engine.freshUrl(),
    ...options,
  })
  return { app, storage: app.storage, ...accessors }
}

/** One request, what is there before it, and all that it should bring about. */
export interface Scenario {
  readonly title: string
  /** Fills the database; what it answers can be used in the URL as `{key}`. */
  readonly given?: (server: TestServer) => Promise<unknown>
  readonly request: InjectOptions & { readonly method: NonNullable<InjectOptions['method']>; readonly url: string }
  readonly status: number
  /** What the body matches; a string stands in its text. */
  readonly answer?: object | string
  /** Text that must not be in the answer. */
  readonly without?: readonly string[]
  /** Headers that the answer has; `null` for those that it must not have. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>
  /** Hooks of users that ran; none unless said. */
  readonly hooks?: readonly string[]
  /** Operations in the audit log, oldest first; none unless said. */
  readonly audit?: readonly AuditOperation[]
  readonly options?: Partial<BootstrapOptions>
}

/** Plays a scenario on an empty database. */
export async function play(engine: TestEngine, scenario: Scenario): Promise<LightMyRequestResponse> {
  const server = await startServer(engine, scenario.options)
  // Scenarios whose URL has a {key} answer an object that has it.
  const known = ((await scenario.given?.(server)) ?? {}) as Record<string, unknown>
  server.hooks.length = 0
  const before = await server.storage.audit.count()
  const url = scenario.request.url.replaceAll(/\{(\w+)\}/g, (_match, key: string) => encodeURIComponent(String(known[key])))
  const response = await server.app.inject({ ...scenario.request, url, headers: { 'x-user': 'tester', ...scenario.request.headers } })
  expect(response.statusCode, response.body).toBe(scenario.status)
  if (typeof scenario.answer === 'string') expect(response.body).toContain(scenario.answer)
  else if (scenario.answer) expect(response.json()).toMatchObject(scenario.answer)
  for (const text of scenario.without ?? []) expect(response.body).not.toContain(text)
  for (const [name, value] of Object.entries(scenario.headers ?? {})) {
    if (value === null) expect(response.headers[name]).toBeUndefined()
    else if (typeof value === 'string') expect(response.headers[name]).toBe(value)
    else expect(response.headers[name]).toMatch(value)
  }
  expect(server.hooks).toEqual(scenario.hooks ?? [])
  const entries = await server.storage.audit.find()
  const fresh = entries.slice(0, entries.length - before).reverse()
  expect(fresh.map((entry) => entry.operation)).toEqual(scenario.audit ?? [])
  if (response.statusCode >= 400) expectProblem(response)
  return response
}

/** Every error has the members of RFC 9457 and of the contract. */
export function expectProblem(response: LightMyRequestResponse): void {
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  const problem: Record<string, unknown> = response.json()
  expect(problem).toMatchObject({ status: response.statusCode, message: problem['detail'], request_id: response.headers['x-request-id'] })
  for (const member of ['type', 'title', 'detail', 'instance', 'code']) expect(problem[member]).toEqual(expect.any(String))
}

/** A user as clients send it. */
export const ada = { name: 'Ada', email: 'ada@example.com' }

/** Inserts a user in code, and answers its id. */
export async function addUser(server: TestServer, fields: Record<string, unknown> = {}): Promise<{ id: number }> {
  const row = await server.users.insert({ ...ada, ...fields }, { actor: 'code' })
  return { id: row.id }
}
