import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type BootstrapOptions, bootstrap } from '@strongroom/fastify'
import { type TestEngine, tempFolder } from '@strongroom/testkit'
import Fastify from 'fastify'
import { onTestFinished } from 'vitest'
import { run } from '../src/index.ts'
import { makeAccessors } from './models.ts'

/** The module that commands take accessors from. */
export const models = fileURLToPath(new URL('./models.ts', import.meta.url))

/** What a command did. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** What it wrote to standard output, to the byte. */
  readonly bytes: Buffer
  /** Its document. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered
  readonly json: any
}

export interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: Readable
  /** A terminal, and what is typed into it. */
  readonly typed?: string
  readonly signal?: AbortSignal
}

/** Runs a command in this process. */
export async function strongroom(args: readonly string[], { env = {}, stdin, typed, signal }: Given = {}): Promise<Outcome> {
  const isTTY = typed !== undefined
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const outputs = Promise.all([buffer(stdout), buffer(stderr)])
  const input = stdin ?? Readable.from(typed === undefined ? [] : [typed])
  const code = await run(args, {
    stdin: Object.assign(input, { isTTY }),
    stdout,
    stderr: Object.assign(stderr, { isTTY, columns: 100 }),
    env,
    signal: signal ?? new AbortController().signal,
  })
  stdout.end()
  stderr.end()
  const [bytes, errors] = await outputs
  const text = bytes.toString()
  return {
    code,
    stdout: text,
    stderr: errors.toString(),
    bytes,
    get json() {
      return JSON.parse(text)
    },
  }
}

/** A folder that is gone after the test. */
export async function freshFolder(): Promise<string> {
  const folder = await tempFolder('cli')
  onTestFinished(folder.remove)
  return folder.path
}

/** Starts a server with a few records on a database of the engine. */
export async function startServer(engine: Pick<TestEngine, 'freshUrl'>, options: Partial<BootstrapOptions> = {}) {
  const app = Fastify()
  const [users, tasks] = makeAccessors()
  const databaseUrl = await engine.freshUrl()
  await bootstrap(app, { accessors: [users, tasks], databaseUrl, operators: 'loopback', ...options })
  const ada = await users.insert({ name: 'Ada', password_hash: 'canary' }, { actor: 'admin', requestId: 'first' })
  await tasks.insert({ title: 'Look', owner_id: ada.id }, { actor: 'olga' })
  await users.update(ada.id, { name: 'Ada \u001b[31mB.' }, { actor: 'olga' })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url, databaseUrl, users, tasks, storage: app.storage }
}
