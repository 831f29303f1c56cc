import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect } from 'vitest'
import type { Connection, Engine } from '../../src/engine/engine.ts'
import { loadDriver } from '../../src/engine/sqlite/driver.ts'
import { openSqliteEngine } from '../../src/engine/sqlite/open.ts'
import { errorOf, note, sql, stored, test, unit, withNotes } from './sqlite-support.ts'

const pragmas = {
  journal_mode: 'wal',
  foreign_keys: 1,
  trusted_schema: 0,
  cell_size_check: 1,
  recursive_triggers: 1,
  mmap_size: 0,
  journal_size_limit: 67_108_864,
}

function settings(connection: Connection): Record<string, unknown> {
  const names = [...Object.keys(pragmas), 'synchronous', 'busy_timeout']
  return Object.fromEntries(names.map((name) => [name, onlyValue(connection, `PRAGMA ${name}`)]))
}

function onlyValue(connection: Connection, text: string): unknown {
  // Connections of this engine answer at once.
  const [row] = connection.all(sql(text)) as Record<string, unknown>[]
  return Object.values(row ?? {})[0]
}

async function settingsOfBoth(engine: Engine): Promise<Record<string, unknown>[]> {
  return [await engine.write(unit(settings)), await engine.read(settings)]
}

describe('opening a database file', () => {
  test('sets the pragmas on the connection that writes and on the one that reads', async ({ open }) => {
    for (const found of await settingsOfBoth(await open())) {
      expect(found).toMatchObject({ ...pragmas, synchronous: 2 })
      expect(found.busy_timeout ?? found.timeout).toBeLessThanOrEqual(100)
    }
  })

  test('commits at NORMAL where that is asked for', async ({ open }) => {
    for (const found of await settingsOfBoth(await open({ synchronous: 'NORMAL' }))) expect(found).toMatchObject({ synchronous: 1 })
  })

  test('signs a file that it made', async ({ open, file }) => {
    await open()
    expect(stored(file, 'PRAGMA application_id')).toEqual([0x5352524d])
  })

  test("leaves the mark of somebody else's file alone", async ({ open, file }) => {
    const other = new Database(file)
    other.exec('PRAGMA application_id = 77; CREATE TABLE theirs (a)')
    other.close()
    await open()
    expect(stored(file, 'PRAGMA application_id')).toEqual([77])
  })

  test('does not sign a file in which somebody else has made a table', async ({ open, file }) => {
    const other = new Database(file)
    other.exec('CREATE TABLE theirs (a)')
    other.close()
    await open()
    expect(stored(file, 'PRAGMA application_id')).toEqual([0])
  })

  test('finds what an earlier process left', async ({ open }) => {
    const first = await withNotes(await open())
    await first.write(note('kept'))
    await first.close()
    const second = await open()
    expect(await second.read((connection) => connection.all(sql('SELECT text FROM notes')))).toEqual([{ text: 'kept' }])
  })
})

describe('a file that cannot be opened', () => {
  test('in a missing folder: the sentence names the file', async ({ folder }) => {
    const path = join(folder, 'missing', 'app.db')
    await expect(openSqliteEngine({ path })).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining(path) })
  })

  test('a folder in its place: the sentence names it', async ({ folder }) => {
    const path = join(folder, 'data')
    mkdirSync(path)
    await expect(openSqliteEngine({ path })).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining(path) })
  })

  test('a text file: the sentence says that it is no database', async ({ file }) => {
    writeFileSync(file, 'This is a text of more than one hundred bytes, which no reader of databases takes for a database. '.repeat(20))
    const error = await errorOf(openSqliteEngine({ path: file }))
    expect(error).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('is no SQLite database') })
  })

  test.for(['', '  '])('an empty path %j is refused', async (path) => {
    await expect(openSqliteEngine({ path })).rejects.toMatchObject({ code: 'invalid_options' })
  })

  test.for([{ busyWait: -1 }, { queueLimit: 0 }, { maxGroup: Number.NaN }])('%j is refused by name', async (options, { file }) => {
    const name = Object.keys(options).join()
    await expect(openSqliteEngine({ path: file, ...options })).rejects.toMatchObject({
      code: 'invalid_options',
      message: expect.stringContaining(name),
    })
  })
})

describe(':memory:', () => {
  test('is a file that only its owner may read, and that is gone after the close', async ({ open }) => {
    const engine = await withNotes(await open({ path: ':memory:' }))
    await engine.write(note('secret'))
    const path = String(
      await engine.read((connection) => onlyValue(connection, "SELECT file FROM pragma_database_list WHERE name = 'main'")),
    )
    for (const name of readdirSync(dirname(path))) expect(statSync(join(dirname(path), name)).mode & 0o077).toBe(0)
    expect(statSync(dirname(path)).mode & 0o077).toBe(0)
    await engine.close()
    expect(existsSync(dirname(path))).toBe(false)
  })

  test('is gone with a process that does not close it', async () => {
    const child = fork(fileURLToPath(new URL('./sqlite-memory-program.ts', import.meta.url)), {
      execArgv: ['--conditions=strongroom-source'],
    })
    const [[path]] = await Promise.all([once(child, 'message'), once(child, 'exit')])
    expect(path).toMatch(/memory\.db$/)
    expect(existsSync(dirname(path))).toBe(false)
  })

  test('is another database each time', async ({ open }) => {
    await withNotes(await open({ path: ':memory:' }))
    const other = await open({ path: ':memory:' })
    expect(await other.read((connection) => other.inspect(connection))).toEqual([])
  })

  test('shows readers nothing that is not committed', async ({ open }) => {
    const engine = await withNotes(await open({ path: ':memory:' }))
    const count = () => engine.read((connection) => onlyValue(connection, 'SELECT count(*) FROM notes'))
    await engine.write(
      unit(
        async (connection) => {
          await connection.run(sql("INSERT INTO notes (text) VALUES ('soon')"))
          expect(await count()).toBe(0)
        },
        { alone: true },
      ),
    )
    expect(await count()).toBe(1)
  })
})

describe('the driver', () => {
  test('is not loaded on a Node that would die of it', async () => {
    const load = () => Promise.reject(new Error('loaded'))
    await expect(loadDriver({ napi: '9', node: 'v20.20.0', load })).rejects.toMatchObject({
      code: 'invalid_options',
      message: 'SQLite needs Node 22.14 or later (Node-API 10); this is Node v20.20.0. Run the program on a newer Node.',
    })
    await expect(loadDriver({ napi: undefined, node: 'v20.20.0', load })).rejects.toMatchObject({ code: 'invalid_options' })
  })

  test('is asked for by name when it is missing', async () => {
    const load = () => import('better-sqlite3-that-nobody-has' as string)
    await expect(loadDriver({ napi: '10', node: 'v24.0.0', load })).rejects.toMatchObject({
      code: 'invalid_options',
      message: expect.stringContaining('npm install better-sqlite3@13'),
    })
  })
})

describe('health', () => {
  test('reads the database and tells the version', async ({ open }) => {
    expect(await (await open()).health()).toMatchObject({ version: expect.stringMatching(/^SQLite 3\.\d+\.\d+$/) })
  })

  test('fails when the database cannot be read', async ({ open }) => {
    const engine = await open()
    await engine.close()
    await expect(engine.health()).rejects.toMatchObject({ code: 'storage_closed' })
  })
})
