import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Bytes that the server holds. */
export interface Memory {
  readonly resident: number
  /** Of JavaScript, after a collection. */
  readonly heap: number
}

/** The server under test, in a process of its own. */
export interface Target {
  readonly url: string
  memory(): Promise<Memory>
  /** The last lines that it logged as errors. */
  readonly log: readonly string[]
  stop(): Promise<void>
}

/** Lines of the server's log that are kept. */
const mostLines = 50

/** The server of this folder. */
const ownServer = fileURLToPath(new URL('./server.ts', import.meta.url))

/** Starts the built server (the packages' dist, not their sources), so that what is tested is what is shipped. */
export async function startTarget(databaseUrl: string, script = ownServer, ...words: readonly string[]): Promise<Target> {
  const child = fork(script, [databaseUrl, ...words], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '' },
  })
  const log: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    log.push(...text.split('\n').filter((line) => line !== ''))
    log.splice(0, log.length - mostLines)
  })
  const { url } = (await answerOf(child)) as { readonly url: string }
  return {
    url,
    log,
    memory: async () => {
      child.send('memory')
      return (await answerOf(child)) as Memory
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** What the process says next; it fails when the process ends before. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const over = new AbortController()
  const { signal } = over
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the server ended with ${String(code)}`)
  })
  try {
    const [message]: unknown[] = await Promise.race([once(child, 'message', { signal }), ended])
    return message
  } finally {
    // Whichever did not come is waited for no longer.
    ended.catch(() => undefined)
    over.abort()
  }
}
