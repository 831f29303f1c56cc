import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { type RunningScript, runScript } from './run-script.ts'

/**
 * Starts an example with its sample, on a free port, as a newcomer starts it; it is ended with the running test.
 *
 * @param main its program, which takes `--sample`
 * @param served the line that it prints when it can be asked
 */
export async function startExample(main: URL, databaseUrl: string, served: RegExp): Promise<RunningScript & { readonly origin: string }> {
  const port = String(await freePort())
  const env = { DATABASE_URL: databaseUrl, PORT: port, HOST: undefined, NODE_ENV: undefined, RATE_LIMIT_REQUESTS: '1000' }
  const script = runScript(fileURLToPath(main), { args: ['--sample'], env })
  onTestFinished(async () => {
    await script.kill()
  })
  await script.line(served)
  return { ...script, origin: `http://127.0.0.1:${port}` }
}
