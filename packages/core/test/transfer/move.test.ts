import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { defineModel, ModelAccessor, type MoveOptions, moveDatabase, openStorage, type Storage } from '@strongroom/core'
import { describeEngines, type EngineName, engineNames, type FreshDatabase, freshPostgres, tempFolder } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import pg from 'pg'
import { Type } from 'typebox'
import { expect, onTestFinished, test } from 'vitest'
import { openEngine } from '../../src/engine/open-engine.ts'
import { rejectionOf } from '../support.ts'
import { hostileId, hostileThings, Key, openThings, Thing } from './hostile-things.ts'

const Item = defineModel('items', { name: Type.String() }, { unique: [['name']] })

/** Which engine a database is moved to, by the one that it comes from. */
const other: Record<EngineName, EngineName> = { sqlite: 'postgres', postgres: 'sqlite' }

async function empty(engine: EngineName): Promise<string> {
  const database: FreshDatabase = engine === 'postgres' ? await freshPostgres() : await file()
  onTestFinished(database.remove)
  return database.url
}

async function file(): Promise<FreshDatabase> {
  const folder = await tempFolder('move')
  return { url: `sqlite:${folder.path}/moved.db`, remove: folder.remove }
}

/** Runs a statement past the library. */
async function run(url: string, statement: string): Promise<void> {
  if (url.startsWith('sqlite:')) {
    const database = new Database(url.slice('sqlite:'.length))
    database.exec(statement)
    database.close()
    return
  }
  const client = new pg.Client(url)
  await client.connect()
  await client.query(statement)
  await client.end()
}

async function items(url: string): Promise<{ storage: Storage; accessor: ModelAccessor<typeof Item> }> {
  const accessor = new ModelAccessor(Item, 'items')
  const storage: unknown = await openStorage({ url, accessors: [accessor] })
  // Nobody asks for its tables here.
  return { storage: storage as Storage, accessor }
}

async function indexesIn(url: string): Promise<string[]> {
  const engine = await openEngine(url, { sqlite: {}, postgres: {} })
  const tables = await engine.read((connection) => engine.inspect(connection))
  await engine.close()
  return tables.flatMap(({ indexes }) => indexes.map(({ name }) => name)).toSorted()
}

describeEngines('a database that is moved to the other engine', (engine) => {
  const to = other[engine.name]

  /** A database with many items. */
  const full = async (count: number): Promise<string> => {
    const url = await engine.freshUrl()
    const { storage, accessor } = await items(url)
    await accessor.insertMany(Array.from({ length: count }, (_, index) => ({ name: `item ${index}` })))
    await storage.close()
    return url
  }
  const namesIn = async (url: string): Promise<string[]> => {
    const { storage, accessor } = await items(url)
    const rows = await accessor.all()
    await storage.close()
    return rows.map(({ id, name }) => `${id} ${name}`)
  }

  test('has every record, entry and counter, its log proves itself, and it comes back the same', async () => {
    const url = await engine.freshUrl()
    const { storage, things, keys } = await openThings(url)
    await things.insertMany(hostileThings.map((row, index) => ({ ...row, id: hostileId(index), like: hostileId(index) })))
    await things.update(hostileId(1), { note: 'changed' })
    await things.delete(hostileId(2))
    await keys.insert({ thing: hostileId(0) })
    const [before, kept] = [await things.all({ includeDeleted: true }), await keys.all()]
    await storage.close()
    // Every entry has its place by now.
    const again = await openThings(url)
    const entries = await again.storage.audit.find({ limit: 1_000 })
    await again.storage.close()
    const there = await empty(to)
    const progress: string[] = []
    const report = await moveDatabase({
      from: url,
      to: there,
      onProgress: ({ phase, rows, total }) => progress.push(`${phase} ${rows === total}`),
    })
    expect(report.resumed).toBe(false)
    expect(report.tables.find(({ table }) => table === 'things')).toEqual({
      table: 'things',
      rows: before.length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(new Set(progress)).toEqual(new Set(['copying false', 'copying true', 'verifying false', 'verifying true']))
    if (to === 'sqlite') expect((await stat(there.slice('sqlite:'.length))).mode & 0o077).toBe(0)
    const back = await empty(engine.name)
    expect((await moveDatabase({ from: there, to: back })).tables).toEqual(report.tables)
    const made = await empty(to)
    await (await openThings(made)).storage.close()
    expect(await indexesIn(there)).toEqual(await indexesIn(made))
    expect(await indexesIn(back)).toEqual(await indexesIn(url))
    for (const place of [there, back]) {
      const opened = await openThings(place)
      expect(await opened.things.all({ includeDeleted: true })).toEqual(before)
      expect(await opened.keys.all()).toEqual(kept)
      expect(await opened.storage.audit.find({ limit: 1_000 })).toEqual(entries)
      expect(await opened.storage.audit.verify()).toMatchObject({ ok: true })
      expect(await opened.storage.health()).toMatchObject({ schemaDifferences: [], schemaLeftovers: [] })
      await opened.keys.insert({ thing: hostileId(0) })
      const [last] = await opened.storage.audit.find({ limit: 1 })
      expect(Number(last?.id)).toBeGreaterThan(Number(entries[0]?.id))
      await opened.storage.close()
    }
    expect([Thing.name, Key.name].every((name) => report.tables.some(({ table }) => table === name))).toBe(true)
  })

  test('goes on where it was ended, and counts its ids from where the source is', async () => {
    const url = await full(2_500)
    const there = await empty(to)
    const stop = new AbortController()
    const ended: MoveOptions = {
      from: url,
      to: there,
      signal: stop.signal,
      onProgress: ({ table, rows }) => {
        if (table === 'items' && rows >= 1_000) stop.abort(new Error('enough'))
      },
    }
    expect(await rejectionOf(moveDatabase(ended))).toMatchObject({ message: 'enough' })
    const report = await moveDatabase({ from: url, to: there })
    expect(report.resumed).toBe(true)
    expect(report.tables.find(({ table }) => table === 'items')).toMatchObject({ rows: 2_500 })
    const { storage, accessor } = await items(there)
    expect((await accessor.insert({ name: 'next' })).id).toBe(2_501)
    await storage.close()
  })

  test('is not moved on from another moment: that is begun anew, when somebody says so', async () => {
    const url = await full(1_500)
    const there = await empty(to)
    const stop = new AbortController()
    const onProgress = (): void => stop.abort(new Error('enough'))
    expect(await rejectionOf(moveDatabase({ from: url, to: there, signal: stop.signal, onProgress }))).toMatchObject({ message: 'enough' })
    const { storage, accessor } = await items(url)
    await accessor.insert({ name: 'later' })
    await storage.close()
    expect(await rejectionOf(moveDatabase({ from: url, to: there }))).toMatchObject({
      code: 'state_conflict',
      message: expect.stringContaining('restart'),
    })
    expect(await moveDatabase({ from: url, to: there, restart: true })).toMatchObject({ resumed: false })
    expect(await namesIn(there)).toEqual(await namesIn(url))
  })

  test('goes into an empty one alone', async () => {
    const url = await full(1)
    const there = await empty(to)
    await moveDatabase({ from: url, to: there })
    for (const restart of [false, true]) {
      expect(await rejectionOf(moveDatabase({ from: url, to: there, restart }))).toMatchObject({
        code: 'state_conflict',
        message: expect.stringMatching(/target is not empty: it has .*items/),
      })
    }
    expect(await namesIn(there)).toEqual(['1 item 0'])
  })

  test('leaves tables of the app behind only when somebody says so', async () => {
    const url = await full(1)
    await run(url, 'CREATE TABLE mine (a TEXT)')
    const there = await empty(to)
    expect(await rejectionOf(moveDatabase({ from: url, to: there }))).toMatchObject({
      code: 'invalid_options',
      message: expect.stringContaining('mine is a table that no model has'),
    })
    await moveDatabase({ from: url, to: there, leaveOthers: true })
    expect(await namesIn(there)).toEqual(['1 item 0'])
  })
})

test.each<[string, object, RegExp]>([
  ['a misspelt option', { form: 'sqlite:./a.db' }, /"form" is no option of moveDatabase/],
  ['no target', { from: 'sqlite:./a.db' }, /needs to/],
  ['a database in memory', { from: 'sqlite::memory:', to: 'sqlite:./b.db' }, /in memory/],
  ['a URL of no engine', { from: 'sqlite:./a.db', to: 'mysql://a' }, /of no engine/],
])('%s is refused', async (_name, options, sentence) => {
  expect(await rejectionOf(moveDatabase(options as MoveOptions))).toMatchObject({
    code: 'invalid_options',
    message: expect.stringMatching(sentence),
  })
  expect(existsSync('./b.db')).toBe(false)
})

test('every engine is a source and a target', () => {
  expect(engineNames.map((name) => other[name]).toSorted()).toEqual(engineNames.toSorted())
})
