import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./reader.ts', import.meta.url))

/** A line of what a reader has written down. */
export interface Told {
  readonly what: string
  readonly epoch: number
  readonly position: number
  /** The id of the entry; 0 for a reset. */
  readonly entry: number
}

/** A reader in a process of its own, which is killed and begun again. */
export class ReaderProcess {
  readonly name: string
  readonly #words: readonly string[]
  readonly #file: string
  #child: ChildProcess | undefined

  constructor(name: string, url: string, file: string, kind: 'client' | 'poll') {
    this.name = name
    this.#file = file
    this.#words = [script, url, file, kind]
  }

  start(): void {
    this.#child = spawn(process.execPath, this.#words, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Whether it has ended by itself, which it never should. */
  get hasFailed(): boolean {
    return this.#child !== undefined && this.#child.exitCode !== null
  }

  /** What it has written down, but for half a line at the end. */
  told(): Told[] {
    const text = readText(this.#file)
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines.slice(0, -1).map((line) => {
      const [what = '', place = '', entry = ''] = line.split(' ')
      const [epoch = 0, position = 0] = place.split(':').map(Number)
      return { what, epoch, position, entry: Number(entry) }
    })
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
