import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { defineModel, ModelAccessor, Ref, type StorageOptions } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { believedRows } from '../audit/raw-database.ts'
import { gate, rejectionOf, storagesOn } from '../support.ts'
import { csv, exported, filesIn, streamed, watchTemporaryFiles } from './import-support.ts'

const Item = defineModel('items', { name: Type.String(), code: Type.Optional(Type.Integer()) }, { unique: [['code']], stamps: true })
const Part = defineModel('parts', { item_id: Ref(() => Item) }, { id: 'text' })

/** Some megabytes: enough for an engine that writes in this thread to use another one. */
const count = 1_500
const many = (change: (row: string, index: number) => string = (row) => row) =>
  csv('name,code', ...Array.from({ length: count }, (_, index) => change(`${'n'.repeat(2_000)},${index}`, index)))

describeEngines('a large import', (engine) => {
  const open = storagesOn(engine)
  const fileOf = filesIn()
  watchTemporaryFiles()
  const start = async (options: Partial<StorageOptions> = {}) => {
    const items = new ModelAccessor(Item, 'items')
    const parts = new ModelAccessor(Part, 'parts')
    return { items, parts, storage: await open([items, parts], options) }
  }

  test('takes turns with everybody else, and is no subject to the time limit of transactions', async () => {
    const { items, storage } = await start({ transactionTimeLimit: 1 })
    let turns = 0
    let ticking: NodeJS.Immediate | undefined
    const tick = (): void => {
      turns++
      ticking = setImmediate(tick)
    }
    tick()
    const seen: Record<string, number[]> = { reading: [], writing: [] }
    const report = await storage.import({ items: many() }, { onProgress: ({ phase }) => seen[phase]?.push(turns) })
    clearImmediate(ticking)
    expect(report.applied).toBe(true)
    for (const turnsAt of Object.values(seen)) {
      expect(turnsAt.length).toBeGreaterThan(5)
      // The first progress of a phase apart, there was a turn between each and the next.
      expect(turnsAt.every((turn, index) => index === 0 || turn > (turnsAt[index - 1] ?? 0))).toBe(true)
    }
    expect(await items.count()).toBe(count)
  })

  test('keeps nobody from writing while it reads its file, however slowly that comes', async () => {
    const { items, storage } = await start()
    const slow = async function* () {
      yield Buffer.from('name\na\n')
      await items.insert({ name: 'meanwhile' })
      yield Buffer.from('b\n')
    }
    const report = await storage.import({ items: Readable.from(slow()) })
    expect(report.tables).toMatchObject([{ inserted: 2 }])
    expect((await items.all()).map(({ name }) => name)).toEqual(['meanwhile', 'a', 'b'])
  })

  test('readers go on, and see nothing of it before its end; writers wait', async () => {
    const { items, storage } = await start()
    const read: Promise<number>[] = []
    const order: string[] = []
    let written: Promise<unknown> | undefined
    await storage.import(
      { items: many() },
      {
        onProgress: ({ phase }) => {
          if (phase !== 'writing') return
          read.push(items.count())
          read.at(-1)?.then(() => order.push('read'))
          if (engine.has('sharedCommits')) written ??= items.insert({ name: 'after' }).then(() => order.push('written'))
        },
      },
    )
    order.push('imported')
    await written
    expect(await Promise.all(read)).toContain(0)
    expect(order[0]).toBe('read')
    expect(order.indexOf('imported')).toBeGreaterThan(0)
    expect(new Set(await Promise.all(read))).not.toContain(1)
  })

  test('hooks read and write in it, and what they may not do they may not do here', async () => {
    const { items, parts, storage } = await start()
    const told: unknown[] = []
    items.afterInsert(async ({ record, session }) => {
      if (record.code !== 1_400) return
      await parts.insert({ id: 'made by a hook', item_id: record.id })
      told.push((await items.get(record.id))?.name.length, await parts.count())
      told.push((await session.kysely.selectFrom('items').select(['code']).where('id', '=', record.id).execute()).length)
      told.push(await rejectionOf(session.kysely.deleteFrom('items').execute()))
      told.push(await rejectionOf(parts.insert({ id: 'x', item_id: 99_999 })))
      told.push(await rejectionOf(parts.insert({ id: 'made by a hook', item_id: record.id })))
    })
    expect((await storage.import({ items: many() }, { requestId: 'r' })).applied).toBe(true)
    expect(told).toMatchObject([
      2_000,
      1,
      1,
      { code: 'unaudited_write' },
      { code: 'reference_conflict' },
      { code: 'unique_conflict', fields: ['id'] },
    ])
    expect(await parts.all()).toHaveLength(1)
    expect(await storage.audit.count({ request_id: 'r' })).toBe(count + 1)
  })

  test('conflicts have their lines, and nothing is written', async () => {
    const { items, storage } = await start()
    const rows = many((row, index) => (index % 500 === 499 ? row.replace(/\d+$/, '7') : row))
    const report = await storage.import({ items: rows })
    expect(report.errors.map(({ line, field }) => [line, field])).toEqual([
      [501, 'code'],
      [1001, 'code'],
      [1501, 'code'],
    ])
    expect([await items.count(), await storage.audit.count()]).toEqual([0, 0])
  })

  test('of rows that all conflict the first hundred are told', async () => {
    const { items, storage } = await start()
    await storage.import({ items: many() })
    const report = await storage.import({ items: many() })
    expect([report.applied, report.errors.length, report.errorCount]).toEqual([false, 100, 100])
    expect(await items.count()).toBe(count)
  })

  test.each(['reading', 'writing'] as const)('can be cancelled while %s, and leaves nothing', async (when) => {
    const { items, storage } = await start()
    const controller = new AbortController()
    const reason = new Error('not wanted any more')
    let heard = 0
    const importing = storage.import(
      { items: many() },
      {
        signal: controller.signal,
        onProgress: ({ phase }) => {
          if (phase === when && ++heard === 3) controller.abort(reason)
        },
      },
    )
    expect(await rejectionOf(importing)).toBe(reason)
    expect([await items.count(), await storage.audit.count()]).toEqual([0, 0])
    expect((await storage.import({ items: csv('name', 'a') })).applied).toBe(true)
  })

  test('can be cancelled while it waits for bytes, and before it begins', async () => {
    const { storage } = await start()
    const controller = new AbortController()
    const slow = new Readable({ read: () => undefined })
    slow.push('name\na\n')
    const importing = storage.import({ items: slow }, { signal: controller.signal, onProgress: () => controller.abort() })
    controller.abort()
    expect(await rejectionOf(importing)).toMatchObject({ name: 'AbortError' })
    expect(slow.destroyed).toBe(true)
    const zip = new Readable({ read: () => undefined })
    expect(await rejectionOf(storage.import(zip, { signal: controller.signal }))).toMatchObject({ name: 'AbortError' })
  })

  test('a stream that breaks off leaves nothing', async () => {
    const { items, storage } = await start()
    const breaking = () =>
      Readable.from(
        (function* () {
          yield 'name\n'
          throw new Error('the client went away')
        })(),
        { objectMode: false },
      )
    expect(await rejectionOf(storage.import({ items: breaking() }))).toMatchObject({ message: 'the client went away' })
    expect(await rejectionOf(storage.import(breaking()))).toMatchObject({ message: 'the client went away' })
    expect(await items.count()).toBe(0)
  })

  test('closing the storage ends it', async () => {
    const { storage } = await start()
    const writing = gate()
    const importing = storage.import({ items: many() }, { onProgress: ({ phase }) => phase === 'writing' && writing.open() })
    const outcome = rejectionOf(importing)
    await writing.opened
    await storage.close()
    expect(await outcome).toMatchObject({ code: 'storage_closed' })
    expect(await rejectionOf(storage.import({ items: csv('name', 'a') }))).toMatchObject({ code: 'storage_closed' })
  })

  test('from a file or a stream, a zip is the same', async () => {
    const source = await start()
    await source.storage.import({ items: many() })
    const zip = await exported(source.storage)
    const path = await fileOf('export.zip', zip)
    const [byFile, byStream] = [await start(), await start()]
    const other = await byStream.storage.import(streamed(zip))
    expect(await byFile.storage.import(path)).toEqual({ ...other, transactionId: expect.any(String) })
    expect(await byFile.items.all()).toEqual(await source.items.all())
    expect(await readFile(path)).toEqual(zip)
  })

  needs(engine, 'oneFile', () => {
    test('a full disk changes nothing, and the storage works on', async () => {
      const { items, storage } = await start({ sqlite: { maxPageCount: 400 } })
      await items.insert({ name: 'before' })
      expect(await rejectionOf(storage.import({ items: many() }))).toMatchObject({ code: 'storage_full', status: 507 })
      expect([await items.count(), await storage.audit.count()]).toEqual([1, 1])
      await items.insert({ name: 'after' })
    })

    test('another program that holds the database is waited for, and reported when it does not let go', async () => {
      const { items, storage } = await start({ sqlite: { busyWait: 50 } })
      const { path } = storageFile(
        await storage.kysely.executeQuery(sql`select file as path from pragma_database_list`.compile(storage.kysely)),
      )
      const { default: Database } = await import('better-sqlite3')
      const other = new Database(path)
      other.exec('BEGIN IMMEDIATE')
      expect(await rejectionOf(storage.import({ items: many() }))).toMatchObject({ code: 'storage_busy' })
      other.exec('ROLLBACK')
      other.close()
      expect((await storage.import({ items: many() })).applied).toBe(true)
      expect(await items.count()).toBe(count)
    })
  })

  needs(engine, 'statistics', () => {
    test('has questions planned for what it has brought, at once', async () => {
      const url = await engine.freshUrl()
      const { storage } = await start({ url })
      const rows = 10_000
      await storage.import({ items: csv('name,code', ...Array.from({ length: rows }, (_, index) => `n,${index}`)) })
      const tables = ['items', 'strongroom_audit_log']
      expect(await believedRows(url, tables)).toEqual(tables.map((table) => ({ table, rows })))
    })
  })

  needs(engine, 'overlappingUnits', () => {
    test('a unit that lost against another one begins again from its start', async () => {
      const { items, storage } = await start()
      const lose = sql`CREATE FUNCTION lose() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$`
      await storage.transaction(({ kysely }) => kysely.executeQuery(lose.compile(kysely)), { unaudited: true })
      const tries: number[] = []
      items.afterInsert(async ({ record, session: { kysely } }) => {
        if (record.code !== 900) return
        tries.push(record.id)
        if (tries.length === 1) await kysely.executeQuery(sql`SELECT lose()`.compile(kysely))
      })
      const report = await storage.import({ items: many() }, { requestId: 'r' })
      expect(report).toMatchObject({ applied: true, tables: [{ inserted: count }] })
      expect([tries.length, await items.count(), await storage.audit.count({ request_id: 'r' })]).toEqual([2, count, count])
    })
  })
})

function storageFile({ rows }: { readonly rows: readonly unknown[] }): { readonly path: string } {
  // The statement above asked for this column.
  return rows[0] as { readonly path: string }
}
