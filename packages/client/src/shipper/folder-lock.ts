import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, readlinkSync, renameSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** Who has a folder. */
interface Owner {
  /** One taking of a folder, and no other. */
  readonly id?: string
  readonly pid: number
  /** When the process began, where that can be told: a number is given to another process, sooner or later. */
  readonly started?: string | undefined
  /** Where the number is the process's: in another container it is somebody else's. */
  readonly place?: string
}

export interface LockTimes {
  /** Milliseconds after which the owner touches its lock again. */
  readonly renewal?: number
  /** Milliseconds within which an owner elsewhere has to touch it, to be taken for alive. */
  readonly patience?: number
}

/** Milliseconds. A lock elsewhere that nobody has touched for so long needs no watching, whatever the clocks. */
const longAgo = 60_000

/** The takings of this process. */
const own = new Set<string>()

/**
 * A folder that one process has to itself. An owner of the same machine and container is asked for by its number; one elsewhere, whose number
 * says nothing here (the first process of every container is 1), lives as long as it touches the file.
 */
export class FolderLock {
  readonly #path: string
  readonly #id = randomUUID()
  readonly #text = JSON.stringify({ id: this.#id, pid: process.pid, started: startOf(process.pid), place: place() } satisfies Owner)
  readonly #timer: NodeJS.Timeout

  /** Takes the folder. Throws Error where a process that lives has it; to find that out of one elsewhere takes up to `patience`. */
  constructor(folder: string, { renewal = 1000, patience = 5000 }: LockTimes = {}) {
    this.#path = join(folder, 'shipper.lock')
    while (!this.#create()) {
      const found = textOf(this.#path)
      const owner = ownerOf(found)
      if (isAlive(this.#path, owner, patience))
        throw new Error(`The process ${owner?.pid ?? 'of another program'} ships from ${folder}. Give each process a folder of its own.`)
      this.#removeDead(found)
    }
    own.add(this.#id)
    this.#timer = setInterval(() => this.#renew(), renewal).unref()
  }

  /** Whether the folder is still this one's: a process that stood still for long has lost it to whoever came meanwhile. */
  get isHeld(): boolean {
    return own.has(this.#id)
  }

  release(): void {
    clearInterval(this.#timer)
    own.delete(this.#id)
    if (textOf(this.#path) === this.#text) unlinkSync(this.#path)
  }

  #create(): boolean {
    try {
      writeFileSync(this.#path, this.#text, { flag: 'wx', mode: 0o600 })
      return true
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    }
  }

  /** Two who find the same lock dead must not take each other's away: what was moved is looked at once more. */
  #removeDead(found: string | undefined): void {
    const aside = `${this.#path}.${this.#id}`
    try {
      renameSync(this.#path, aside)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return
      throw error
    }
    if (textOf(aside) !== found) putBack(aside, this.#path)
    unlinkSync(aside)
  }

  #renew(): void {
    try {
      if (textOf(this.#path) !== this.#text) return void own.delete(this.#id)
      const now = new Date()
      utimesSync(this.#path, now, now)
    } catch {
      // the disk's fault, which whoever writes there is told
    }
  }
}

function putBack(aside: string, path: string): void {
  try {
    linkSync(aside, path)
  } catch {
    // another one is there already, or the file system has no links: its owner sees that it has lost the folder
  }
}

/** Names the machine since it was started and, on Linux, the room that process numbers count in. */
function place(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** When a process began, in the kernel's ticks; undefined where the system does not say. */
function startOf(pid: number): string | undefined {
  // behind the name in brackets, which may hold anything; the 22nd of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
  const stat = textOf(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

function ownerOf(text: string | undefined): Owner | undefined {
  try {
    const told: unknown = JSON.parse(text ?? '')
    // up to version 0.1 the file had the number alone
    if (typeof told === 'number') return { pid: told }
    if (typeof told !== 'object' || told === null || !('pid' in told) || typeof told.pid !== 'number') return undefined
    return told as Owner
  } catch {
    return undefined
  }
}

function isAlive(path: string, owner: Owner | undefined, patience: number): boolean {
  if (!owner || (owner.place !== undefined && owner.place !== place())) return isTouched(path, patience)
  if (owner.pid === process.pid) return owner.id !== undefined && own.has(owner.id)
  return isRunning(owner.pid) && (owner.started === undefined || owner.started === startOf(owner.pid))
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // a process of somebody else is one
    return codeOf(error) === 'EPERM'
  }
}

/** Whether somebody touches the file meanwhile. Times of the file are compared with each other alone: clocks of machines differ. */
function isTouched(path: string, patience: number): boolean {
  const before = touchedAt(path)
  if (before === undefined || Date.now() - before > longAgo) return false
  const end = performance.now() + patience
  const pause = new Int32Array(new SharedArrayBuffer(4))
  while (performance.now() < end) {
    Atomics.wait(pause, 0, 0, 20)
    const now = touchedAt(path)
    if (now !== before) return now !== undefined
  }
  return false
}

function touchedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
