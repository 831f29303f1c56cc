import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { test as base } from 'vitest'
import type { Awaitable, Connection, Engine, Unit } from '../../src/engine/engine.ts'
import { openSqliteEngine, type SqliteEngineOptions } from '../../src/engine/sqlite/open.ts'
import type { Field } from '../../src/model/model.ts'

/** Each test has a folder, and engines that are closed after it. */
export const test = base.extend<{ folder: string; file: string; open: (options?: Partial<SqliteEngineOptions>) => Promise<Engine> }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the fixtures that are needed off the pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-test-'))
    await use(folder)
    await rm(folder, { recursive: true, force: true })
  },
  file: async ({ folder }, use) => use(join(folder, 'app.db')),
  open: async ({ file }, use) => {
    const engines: Engine[] = []
    await use(async (options) => {
      // who shares a commit must not hang on how busy the machine is
      const unhurried = { longestAdmission: Number.POSITIVE_INFINITY, longestGathering: Number.POSITIVE_INFINITY }
      const engine = await openSqliteEngine({ path: file, ...unhurried, ...options })
      engines.push(engine)
      return engine
    })
    for (const engine of engines) await engine.close()
  },
})

export function unit<T>(run: (connection: Connection) => Awaitable<T>, options: Partial<Unit<T>> = {}): Unit<T> {
  const context = {
    actor: 'test',
    principal: undefined,
    tenant: null,
    access: 'system' as const,
    requestId: null,
    traceId: null,
    unitId: 'unit',
    dryRun: false,
  }
  return { context, reach: 'every', alone: false, timeLimit: 60_000, run, ...options }
}

export function sql(text: string, ...parameters: unknown[]): { sql: string; parameters: unknown[] } {
  return { sql: text, parameters }
}

/** An open engine with the table `notes (id, text unique)`. */
export async function withNotes(engine: Engine): Promise<Engine> {
  await engine.define(async (connection) => {
    await connection.run(sql('CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE) STRICT'))
  })
  return engine
}

/** A unit that inserts a note and answers its text. */
export function note(text: string, options: Partial<Unit<string>> = {}): Unit<string> {
  return unit((connection) => {
    void connection.run(sql('INSERT INTO "notes" (text) VALUES (?)', text))
    return text
  }, options)
}

/** What a connection that has nothing to do with the engine finds in the file. */
export function stored(file: string, query = 'SELECT text FROM notes ORDER BY id'): unknown[] {
  const database = new Database(file, { readonly: true })
  try {
    return database.prepare(query).pluck().all()
  } finally {
    database.close()
  }
}

/** Commits in the write-ahead log: frames of the running generation that carry the size of the database. */
export function commits(file: string): number {
  const log = readFileSync(`${file}-wal`)
  const pageSize = log.readUInt32BE(8)
  const salt = log.readBigUInt64BE(16)
  let count = 0
  for (let frame = 32; frame + 24 + pageSize <= log.length; frame += 24 + pageSize) {
    if (log.readBigUInt64BE(frame + 8) === salt && log.readUInt32BE(frame + 4) > 0) count += 1
  }
  return count
}

/** A promise and the way to settle it from outside. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** Turns of the event loop; one is enough for everything that is queued. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Whether a promise has settled, without waiting for it. */
export function watch(promise: Promise<unknown>): { readonly settled: boolean } {
  const state = { settled: false }
  const settle = () => {
    state.settled = true
  }
  promise.then(settle, settle)
  return state
}

export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('It was expected to fail, and did not.')
}

/** A field with nothing but what an engine looks at. */
export function field(kind: Field['kind'], more: Partial<Field> = {}): Field {
  return {
    name: 'value',
    kind,
    role: 'data',
    schema: {},
    nullable: false,
    optional: false,
    secret: false,
    readOnly: false,
    immutable: false,
    hidden: false,
    check: () => undefined,
    normalise: (value) => value,
    toJson: (value) => value,
    fromJson: (value) => value,
    ...more,
  }
}
