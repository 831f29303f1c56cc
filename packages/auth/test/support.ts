import { type AnyAccessor, type AuditEntry, ModelAccessor, openStorage, type Storage, StrongroomError } from '@strongroom/core'
import type { TestEngine } from '@strongroom/testkit'
import Fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import { afterEach } from 'vitest'
import { type PasswordAuthentication, type PasswordAuthenticationOptions, passwordAuthentication, User } from '../src/index.ts'

/** Cheap enough for tests. */
export const cheap = { memoryCost: 64, timeCost: 1, parallelism: 1 }
export const secret = 'Lu0mZ4dVqv7yK2sXb9RtQ1wEo3iPa6Hf'
export const password = 'correct horse battery'

export interface TestServer {
  readonly app: FastifyInstance
  readonly auth: PasswordAuthentication
  readonly storage: Storage
  readonly users: ModelAccessor<typeof User>
  /** Lines that the server logged. */
  readonly log: string[]
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly token_type: string
  readonly expires_in: number
}

const opened: TestServer[] = []

afterEach(async () => {
  for (const server of opened.splice(0)) {
    await server.app.close()
    await server.storage.close()
  }
})

const shared = new WeakMap<TestEngine, Promise<string>>()

/** One database for all tests of a suite: making it takes longer than most of them. */
function sharedUrl(engine: TestEngine): Promise<string> {
  const url = shared.get(engine) ?? engine.freshUrl()
  shared.set(engine, url)
  return url
}

/** Removes what earlier tests have left, but for the audit log. */
async function empty(storage: Storage): Promise<void> {
  const tables = ['auth_api_keys', 'auth_sessions', 'auth_lockouts', 'auth_revocations', 'auth_signing_keys', 'auth_users']
  await storage.transaction(
    async ({ kysely }) => {
      for (const table of [...tables, 'strongroom_counters']) await kysely.deleteFrom(table as never).execute()
    },
    { unaudited: true },
  )
}

/** A server whose routes tell who asks. `url` is that of a database that another one has; else it is empty. */
export async function startServer(
  engine: TestEngine,
  { url, trustProxy = false, ...options }: PasswordAuthenticationOptions & { readonly url?: string; readonly trustProxy?: boolean } = {},
): Promise<TestServer> {
  const users = new ModelAccessor(User, 'users')
  const auth = passwordAuthentication({ users, passwordHash: cheap, secret, ...options })
  const accessors: AnyAccessor[] = [users, ...(auth.accessors ?? [])]
  const storage = await openStorage({ url: url ?? (await sharedUrl(engine)), accessors, access: [] })
  // Parts that serve any server take a storage whose accessors they do not know by name.
  const anyStorage = storage as unknown as Storage
  if (url === undefined) await empty(anyStorage)
  const log: string[] = []
  const app = Fastify({ trustProxy, logger: { level: 'warn', stream: { write: (line: string) => void log.push(line) } } })
  app.setErrorHandler((error: Error, _, reply) => {
    if (!(error instanceof StrongroomError)) throw error
    if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter))
    return reply.code(error.status).send({ code: error.code, detail: error.message })
  })
  await app.register(async (scope) => {
    await auth.mount?.(scope, anyStorage)
    scope.get('/who', async (request) => ({ principal: await auth.authenticate(request) }))
  })
  const server = { app, auth, storage: anyStorage, users, log }
  opened.push(server)
  return server
}

/** Makes a user who can sign in. */
export async function addUser({ users }: TestServer, fields: Record<string, unknown> = {}): Promise<{ id: number }> {
  const { id } = await users.insert({ email: 'ada@example.com', password, roles: ['member'], ...fields })
  return { id }
}

export function post(
  server: TestServer,
  path: string,
  payload: object,
  headers: Record<string, string> = {},
): Promise<LightMyRequestResponse> {
  return server.app.inject({ method: 'POST', url: `/auth${path}`, payload, headers })
}

/** Signs in, and answers the tokens. */
export async function signIn(server: TestServer, email = 'ada@example.com', word = password): Promise<Tokens> {
  const response = await post(server, '/token', { email, password: word })
  if (response.statusCode !== 200) throw new Error(`Signing in was answered ${response.statusCode}: ${response.body}`)
  return response.json()
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** What a route answers to somebody with a token. */
export function asWho(server: TestServer, headers: Record<string, string>): Promise<LightMyRequestResponse> {
  return server.app.inject({ url: '/who', headers })
}

/** The status that a token gets. */
export async function statusOf(server: TestServer, token: string): Promise<number> {
  return (await asWho(server, bearer(token))).statusCode
}

export async function refreshStatus(server: TestServer, token: string): Promise<number> {
  return (await post(server, '/refresh', { refresh_token: token })).statusCode
}

/** Everything that the audit log has, as text. */
export async function auditText({ storage }: TestServer): Promise<string> {
  const entries: AuditEntry[] = await storage.audit.find()
  return JSON.stringify(entries)
}
