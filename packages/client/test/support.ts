import { Bytes, DateTime, Decimal, Default, defineModel, Int64, Json, ModelAccessor, PlainDate, Ref } from '@strongroom/core'
import { type BootstrapOptions, bootstrap } from '@strongroom/fastify'
import type { TestEngine } from '@strongroom/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { expect, onTestFinished } from 'vitest'
import { type Client, type ClientOptions, createClient } from '../src/index.ts'

/** A model with a field of every kind and every option. */
export const User = defineModel(
  'users',
  {
    name: Type.String({ minLength: 1 }),
    email: Type.String({ format: 'email' }),
    role: Default(Type.Enum(['operator', 'admin']), 'operator'),
    age: Type.Optional(Type.Integer({ minimum: 0 })),
    active: Default(Type.Boolean(), true),
    balance: Type.Optional(Decimal({ precision: 12, scale: 2 })),
    visits: Default(Int64(), 0n),
    seen: Type.Optional(DateTime()),
    born: Type.Optional(PlainDate()),
    photo: Type.Optional(Bytes({ maxLength: 100 })),
    settings: Type.Optional(Json(Type.Object({ theme: Type.String() }))),
    level: Default(Type.Integer(), 1),
    code: Type.Optional(Type.String()),
    password_hash: Type.Optional(Type.String()),
  },
  { softDelete: true, stamps: true, unique: [['email']], secret: ['password_hash'], readOnly: ['level'], immutable: ['code'] },
)

/** Ids are made by the server, and records are removed for good. */
export const Post = defineModel('posts', { title: Type.String(), owner_id: Type.Optional(Ref(() => User)) }, { id: 'uuid' })

/** Ids are given by the client, under a name of their own. */
export const Country = defineModel(
  'countries',
  { name: Type.String(), limit: Default(Type.Integer(), 0) },
  { id: { name: 'code', type: 'text' } },
)

/** A server that listens, and a client of it. */
export interface TestServer {
  readonly app: FastifyInstance
  readonly baseUrl: string
  readonly users: ModelAccessor<typeof User>
  readonly client: TestClient
}

/** A client of the server's three components. */
export type TestClient = Client<TestModels>

/** The components of the test server. */
export type TestModels = { readonly users: typeof User; readonly posts: typeof Post; readonly countries: typeof Country }

/** Closes a server when the test is over. */
export function closeAfterTest(server: { close(): Promise<unknown> }): void {
  onTestFinished(async () => void (await server.close()))
}

/** Starts a server on an empty database of the engine. Its client tries once, so that a test sees what happens. */
export async function startServer(
  engine: TestEngine,
  options: Partial<BootstrapOptions> = {},
  clientOptions: Partial<ClientOptions> = {},
): Promise<TestServer> {
  const app = Fastify()
  closeAfterTest(app)
  const users = new ModelAccessor(User, 'users')
  const accessors = [users, new ModelAccessor(Post, 'posts'), new ModelAccessor(Country, 'countries')]
  await bootstrap(app, { accessors, databaseUrl: await engine.freshUrl(), ...options })
  const baseUrl = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, baseUrl, users, client: clientOf(baseUrl, clientOptions) }
}

/** A client of the test server's components. */
export function clientOf(baseUrl: string, options: Partial<ClientOptions> = {}): TestClient {
  return createClient<TestModels>({ baseUrl, actor: 'tester', retries: { attempts: 1 }, ...options })
}

/** A user as a client sends it. */
export const ada = { name: 'Ada', email: 'ada@example.com' }

/** What a promise was rejected with; fails the test when it was not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome) return outcome.error
  return expect.unreachable(`resolved with ${JSON.stringify(outcome.value)} where an error was expected`)
}
