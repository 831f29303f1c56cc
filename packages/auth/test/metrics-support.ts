import { defineAccess, defineModel, ModelAccessor } from '@strongroom/core'
import { bootstrap, type Figure } from '@strongroom/fastify'
import { type TempFolder, type TestEngine, tempFolder } from '@strongroom/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { passwordAuthentication, User, userAccess } from '../src/index.ts'
import { cheap, password } from './support.ts'

const Task = defineModel('tasks', { title: Type.String() })

/** A server with all that is counted: users who sign in, rules, a rate limit, scheduled backups, and a revocation store that can be broken. */
export interface WatchedServer {
  readonly app: FastifyInstance
  /** Makes the revocation store fail from now on, or answer again. */
  breakStore(isBroken: boolean): void
  signIn(email?: string, word?: string): Promise<{ readonly access_token: string; readonly refresh_token: string }>
  metrics(): Promise<string>
  /** What authentication counts, without asking for it over HTTP. */
  figures(): readonly Figure[]
  close(): Promise<void>
}

export async function startWatched(engine: TestEngine): Promise<WatchedServer> {
  const folder: TempFolder = await tempFolder('watched')
  const app = Fastify()
  const users = new ModelAccessor(User, 'users')
  let broken = false
  const revoked = new Set<string>()
  const answers = <T>(value: T): Promise<T> => (broken ? Promise.reject(new Error('down')) : Promise.resolve(value))
  const auth = passwordAuthentication({
    users,
    passwordHash: cheap,
    lockout: { accountFailures: 2 },
    firstAdministrator: { email: 'root@example.com', password },
    revocations: {
      revoke: (ids) => answers(void ids.forEach((id) => void revoked.add(id))),
      findRevoked: (ids) => answers(ids.filter((id) => revoked.has(id))),
    },
  })
  await bootstrap(app, {
    auth,
    accessors: [users, new ModelAccessor(Task, 'tasks')],
    databaseUrl: await engine.freshUrl(),
    access: [userAccess(), defineAccess(Task, { all: ['admin', 'member'] })],
    operators: { all: 'admin' },
    rateLimit: { requests: 60, period: 60 },
    backups: { every: '1h', keep: 2, target: folder.path },
  })
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
  const root = (await post('/auth/token', { email: 'root@example.com', password })).json()
  const key = (
    await app.inject({
      method: 'POST',
      url: '/auth/api-keys',
      payload: { name: 'prometheus' },
      headers: { authorization: `Bearer ${root.access_token}` },
    })
  ).json().key
  return {
    app,
    breakStore: (isBroken) => {
      broken = isBroken
    },
    signIn: async (email = 'root@example.com', word = password) => (await post('/auth/token', { email, password: word })).json(),
    metrics: async () => {
      const answer = await app.inject({ url: '/metrics', headers: { 'x-api-key': key } })
      if (answer.statusCode !== 200) throw new Error(`/metrics was answered ${answer.statusCode}: ${answer.body}`)
      return answer.body
    },
    figures: () => auth.figures ?? [],
    close: async () => {
      await app.close()
      await folder.remove()
    },
  }
}

/** The samples of an answer by name and labels. */
export function samplesOf(body: string): Map<string, number> {
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}
