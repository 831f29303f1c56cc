import { randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { appendFile, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderLock } from './folder-lock.ts'

/** A file of the queue that is written no more. */
export interface Segment {
  readonly name: string
  readonly bytes: number
}

const segmentPattern = /^\d{16}-[0-9a-f-]{36}\.ndjson$/

/**
 * The queue on disk: a folder of files with one record a line, the oldest first. A record is with the operating system before `add`
 * returns, so that it outlives the process; a power cut may take the last ones. Where the files together would have more than `maxBytes`, the oldest go.
 */
export class Spool {
  readonly #folder: string
  readonly #maxBytes: number
  readonly #dropped: (records: number) => void
  readonly #lock: FolderLock
  readonly #sealed: Segment[]
  #open: { readonly file: number; readonly name: string; bytes: number; records: number } | undefined
  #sequence = 0

  /** Takes the folder over. Throws Error where a process that lives has it. */
  constructor(folder: string, maxBytes: number, dropped: (records: number) => void) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#dropped = dropped
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#lock = new FolderLock(folder)
    // what a process before left: its last line may be half a one, which `read` leaves out
    const names = readdirSync(folder).filter((name) => segmentPattern.test(name))
    this.#sealed = names.sort().map((name) => ({ name, bytes: statSync(join(folder, name)).size }))
    this.#sequence = Math.max(0, ...names.map((name) => Number(name.slice(0, 16))))
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#sealed.reduce((sum, { bytes }) => sum + bytes, this.#open?.bytes ?? 0)
  }

  /** Records in the file that is being written. */
  get openRecords(): number {
    return this.#open?.records ?? 0
  }

  /** The oldest file that is written no more. */
  get next(): Segment | undefined {
    return this.#lock.isHeld ? this.#sealed[0] : undefined
  }

  /** Adds a line of JSON. Throws what the file system throws. */
  add(line: string): void {
    if (!this.#lock.isHeld) throw new Error(`another process has taken ${this.#folder}`)
    this.#open ??= this.#begin()
    const bytes = Buffer.from(`${line}\n`)
    writeSync(this.#open.file, bytes)
    this.#open.bytes += bytes.length
    this.#open.records++
    while (this.bytes > this.#maxBytes && this.#sealed.length > 0) this.#dropOldest()
  }

  /** Ends the file that is being written. */
  seal(): void {
    if (!this.#open) return
    const { file, name, bytes } = this.#open
    this.#open = undefined
    closeSync(file)
    this.#sealed.push({ name, bytes })
  }

  /** The lines of a file that are whole. */
  async read({ name }: Segment): Promise<string[]> {
    const text = await readFile(join(this.#folder, name), 'utf8')
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
  }

  /** Removes a file whose records have arrived. */
  async remove(segment: Segment): Promise<void> {
    const at = this.#sealed.indexOf(segment)
    if (at < 0) return
    this.#sealed.splice(at, 1)
    await unlink(join(this.#folder, segment.name))
  }

  /** Keeps records that the server will never take, for somebody to look at. */
  async setAside(lines: readonly string[]): Promise<void> {
    await appendFile(join(this.#folder, 'rejected.ndjson'), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
  }

  /** Lets the folder go. What is in it waits for the next process. */
  close(): void {
    this.seal()
    this.#lock.release()
  }

  #begin() {
    const name = `${String(++this.#sequence).padStart(16, '0')}-${randomUUID()}.ndjson`
    return { file: openSync(join(this.#folder, name), 'ax', 0o600), name, bytes: 0, records: 0 }
  }

  #dropOldest(): void {
    const segment = this.#sealed.shift()
    if (!segment) return
    const path = join(this.#folder, segment.name)
    const records = readFileSync(path, 'utf8').split('\n').length - 1
    unlinkSync(path)
    this.#dropped(records)
  }
}
