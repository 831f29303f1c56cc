import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface ServerProcess {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a server of src/servers as a process of its own; its first line of output is its URL. */
export async function startServer(name: string, database: string, { built = false } = {}): Promise<ServerProcess> {
  const script = fileURLToPath(new URL(`./servers/${name}.ts`, import.meta.url))
  const conditions = built ? [] : ['--conditions=strongroom-source']
  const child = spawn(process.execPath, [...conditions, script, database], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'test' },
  })
  const [url] = (await Promise.race([once(createInterface(child.stdout), 'line'), died(child, name)])) as [string]
  return {
    url,
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function died(child: ChildProcess, name: string): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`${name} ended with ${code} before it listened`)
}
