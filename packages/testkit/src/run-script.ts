import { type ChildProcess, spawn } from 'node:child_process'

/** How a process ended. */
export interface ScriptExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A script that runs as a process of its own. */
export interface RunningScript {
  readonly process: ChildProcess
  /** Everything that it wrote so far, standard output and error as they came. */
  output(): string
  /** The first line, past or to come, that matches; rejects with the output when the script ends without one. */
  line(pattern: RegExp): Promise<RegExpMatchArray>
  /** Resolves when the process has ended and its output is complete. */
  readonly ended: Promise<ScriptExit>
  /** Sends the signal (SIGKILL unless said otherwise) and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<ScriptExit>
}

export interface ScriptOptions {
  readonly args?: readonly string[]
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

interface Waiter {
  readonly pattern: RegExp
  readonly found: (match: RegExpMatchArray) => void
}

/**
 * Runs a TypeScript or JavaScript file with this Node, the workspace's packages taken from their sources.
 *
 * @example
 * const server = runScript(fileURLToPath(new URL('./writer.ts', import.meta.url)), { args: [url] })
 * await server.line(/^ready$/)
 * await server.kill()
 */
export function runScript(file: string, options: ScriptOptions = {}): RunningScript {
  const child = spawn(process.execPath, ['--conditions=strongroom-source', file, ...(options.args ?? [])], {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  const waiters = new Set<Waiter>()
  const take = (chunk: string) => {
    output += chunk
    for (const waiter of waiters) {
      const match = firstLine(output, waiter.pattern)
      if (match) waiter.found(match)
    }
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  const ended = new Promise<ScriptExit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  return {
    process: child,
    output: () => output,
    line: (pattern) => waitForLine(pattern, () => output, waiters, ended),
    ended,
    kill: (signal = 'SIGKILL') => {
      child.kill(signal)
      return ended
    },
  }
}

function waitForLine(pattern: RegExp, output: () => string, waiters: Set<Waiter>, ended: Promise<ScriptExit>): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    const past = firstLine(output(), pattern)
    if (past) return resolve(past)
    const waiter: Waiter = {
      pattern,
      found: (match) => {
        waiters.delete(waiter)
        resolve(match)
      },
    }
    waiters.add(waiter)
    ended.then(({ code, signal }) => {
      waiters.delete(waiter)
      const last = firstLine(`${output()}\n`, pattern)
      if (last) resolve(last)
      else reject(new Error(`The script ended (${signal ?? code}) without a line like ${pattern}:\n${output()}`))
    }, reject)
  })
}

/** Only lines that are complete count: half a line might match half a pattern. */
function firstLine(output: string, pattern: RegExp): RegExpMatchArray | undefined {
  for (const line of output.split('\n').slice(0, -1)) {
    const match = line.match(pattern)
    if (match) return match
  }
  return undefined
}
