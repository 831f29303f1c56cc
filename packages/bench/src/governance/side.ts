import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LoadOrder } from './load.ts'

const run = promisify(execFile)
const script = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url))

/** What a server has used so far. */
interface Usage {
  /** Of its processor time. */
  readonly microseconds: number
  readonly resident: number
}

/** What a run of requests cost the server. */
export interface Cost {
  /** Processor time of the server's process for a request. */
  readonly microseconds: number
  readonly perSecond: number
}

/** One of the servers that are compared, in a process of its own. */
export interface Side {
  readonly url: string
  /** Puts a number of requests to it, and answers what they cost. A request that fails ends the bench. */
  load(order: Pick<LoadOrder, 'operation' | 'connections' | 'amount'>): Promise<Cost>
  stop(): Promise<void>
}

export interface SideOptions {
  readonly database: string
  readonly logFile: string
  /** As server.ts has them. */
  readonly parts: string
  /** Options of Node for the server. */
  readonly node?: readonly string[]
}

const users = 20
const seeded = 4_000

/** Starts a server with the built packages, and gives it records. */
export async function startSide({ database, logFile, parts, node = [] }: SideOptions): Promise<Side> {
  const child = fork(script('server'), [database, logFile, parts], {
    // What goes to the console goes where it costs next to nothing.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...node],
    env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
  })
  const answer = async (): Promise<unknown> => {
    const over = new AbortController()
    const { signal } = over
    const ended = once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`the server ended with ${String(code)}`)))
    ended.catch(() => undefined)
    const [message]: unknown[] = await Promise.race([once(child, 'message', { signal }), ended])
    over.abort()
    return message
  }
  const { url } = (await answer()) as { readonly url: string }
  const usage = async (): Promise<Usage> => {
    child.send('usage')
    return (await answer()) as Usage
  }
  const tokens = parts === 'all' || parts.includes('auth') ? await signIn(url) : []
  let next = 0
  const put = async (order: Pick<LoadOrder, 'operation' | 'connections' | 'amount'>, ids: LoadOrder['ids']): Promise<number> => {
    const whole: LoadOrder = { ...order, url, start: next, tokens, ids }
    next += order.amount
    const { stdout } = await run(process.execPath, [script('load'), JSON.stringify(whole)], { maxBuffer: 1e7 })
    const { good, failed } = JSON.parse(stdout) as { readonly good: number; readonly failed: number }
    if (failed > 0 || good < order.amount)
      throw new Error(`${failed} of ${order.amount} requests failed; a fast wrong answer does not count`)
    return good
  }
  await put({ operation: 'post', connections: 64, amount: seeded }, [])
  const ids = await idsOf(url, tokens)
  return {
    url,
    load: async (order) => {
      const before = await usage()
      const started = performance.now()
      const good = await put(order, ids)
      const seconds = (performance.now() - started) / 1000
      const after = await usage()
      return { microseconds: (after.microseconds - before.microseconds) / good, perSecond: good / seconds }
    },
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function signIn(url: string): Promise<string[]> {
  return Promise.all(
    Array.from({ length: users }, async (_, index) => {
      const answer = await fetch(`${url}/auth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: `user${index}@example.com`, password: 'correct horse battery staple' }),
      })
      const { access_token } = (await answer.json()) as { readonly access_token: string }
      return access_token
    }),
  )
}

/** Records that each caller may read. */
async function idsOf(url: string, tokens: readonly string[]): Promise<number[][]> {
  const callers = tokens.length > 0 ? tokens.map((token) => ({ authorization: `Bearer ${token}` })) : [{}]
  return Promise.all(
    callers.map(async (headers) => {
      const answer = await fetch(`${url}/people?limit=100&count=none`, { headers })
      return ((await answer.json()) as { readonly id: number }[]).map(({ id }) => id)
    }),
  )
}
