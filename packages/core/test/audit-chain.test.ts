import { createHash } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineModel, ModelAccessor, openStorage, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { canonicalJson } from '../src/audit/canonical.ts'
import { openLog } from '../src/audit/log.ts'
import { openEngine } from '../src/engine/open-engine.ts'
import { tamper } from './audit/raw-database.ts'
import { rejectionOf, storagesOn } from './support.ts'

const Note = defineModel('notes', { text: Type.String(), tag: Type.Optional(Type.String()) }, { unique: [['text']] })

type Row = Readonly<Record<string, unknown>>

const sha256 = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const hex = (value: unknown): string => Buffer.from(value as Uint8Array).toString('hex')
const moment = (value: unknown): string => new Date(value as string).toISOString()

/** The leaf of an entry, made from its row as docs/reference/audit-format.md says, with nothing of the library's but RFC 8785. */
function leafOf(row: Row): string {
  const { actor, component, operation, record_id, request_id, tenant, transaction_id } = row
  const text = canonicalJson({
    ...{ actor, component, operation, record_id, request_id, tenant, transaction_id },
    id: Number(row['id']),
    epoch: Number(row['epoch']),
    position: Number(row['seq']),
    schema_version: Number(row['schema_version']),
    effective_at: moment(row['effective_at']),
    timestamp: moment(row['timestamp']),
    payload_hash: hex(row['payload_hash']),
  })
  return sha256('\0', text)
}

function rootOf(leaves: readonly string[]): string {
  if (leaves.length === 1) return leaves[0] ?? ''
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256('\u0001', bytes(rootOf(leaves.slice(0, split))), bytes(rootOf(leaves.slice(split))))
}

describeEngines('the chain of the audit log', (engine) => {
  const open = storagesOn(engine)
  let storage: Storage
  let notes: ModelAccessor<typeof Note>

  beforeEach(async () => {
    notes = new ModelAccessor(Note, 'notes')
    storage = await open([notes])
  })

  const rows = async (): Promise<Row[]> =>
    (await storage.kysely.selectFrom('strongroom_audit_log').selectAll().orderBy('seq').execute()) as unknown as Row[]
  const headRow = async (): Promise<Row> =>
    (await storage.kysely.selectFrom('strongroom_audit_head').selectAll().executeTakeFirstOrThrow()) as unknown as Row

  /** Holds every link against what it must be; answers the links as lists of positions. */
  const expectWhole = async (): Promise<number[][]> => {
    await storage.audit.waitUntilSealed()
    const head = await headRow()
    const links = [...Map.groupBy(await rows(), (row) => hex(row['hash'])).values()]
    let previous = sha256('\u0003', String(head['origin']))
    for (const link of links) {
      for (const row of link) expect(hex(row['prev_hash'])).toBe(previous)
      previous = sha256('\u0002', bytes(previous), bytes(rootOf(link.map(leafOf))))
      expect(hex(link[0]?.['hash'])).toBe(previous)
    }
    const positions = links.flat().map((row) => Number(row['seq']))
    expect([previous, Number(head['seq'])]).toEqual([hex(head['hash']), positions.at(-1)])
    const times = links.flat().map((row) => moment(row['effective_at']))
    expect(times).toEqual(times.toSorted())
    return links.map((link) => link.map((row) => Number(row['seq'])))
  }

  describe('holds every entry', () => {
    test('of single writes, batches, transactions and savepoints, and none of what was rolled back', async () => {
      await notes.insert({ text: 'a' })
      await notes.insertMany(['b', 'c', 'd'].map((text) => ({ text })))
      await storage.transaction(async (session) => {
        await notes.insert({ text: 'e' })
        await rejectionOf(notes.insertMany([{ text: 'f' }, { text: 'a' }]))
        await rejectionOf(
          storage.transaction(async () => {
            await notes.insert({ text: 'g' })
            throw new Error('undone')
          }),
        )
        await notes.update(1, { tag: 'late' })
        expect(session).toBeDefined()
      })
      await notes.insert({ text: 'h' }, { dryRun: true })
      const outcomes = await Promise.allSettled(
        Array.from({ length: 40 }, (_, index) => notes.insert({ text: index % 3 === 0 ? 'a' : `x${index}` })),
      )
      const written = outcomes.filter(({ status }) => status === 'fulfilled').length
      const positions = (await expectWhole()).flat()
      expect(positions).toEqual(Array.from({ length: 6 + written }, (_, index) => index + 1))
    })

    test('of a unit whose savepoints were rolled back around others, and its own code sees where the log stands', async () => {
      const seen: number[] = []
      const stand = async (session: { readonly kysely: Storage['kysely'] }): Promise<void> => {
        const row = await session.kysely.selectFrom('strongroom_audit_head').select('seq').executeTakeFirstOrThrow()
        seen.push(Number(row['seq']))
      }
      await storage.transaction(async (session) => {
        await notes.insert({ text: 'a' })
        await stand(session)
        await rejectionOf(
          storage.transaction(async (inner) => {
            await notes.insert({ text: 'b' })
            await rejectionOf(
              storage.transaction(async () => {
                await notes.insert({ text: 'c' })
                throw new Error('undone')
              }),
            )
            await notes.insert({ text: 'd' })
            await stand(inner)
            throw new Error('undone')
          }),
        )
        await notes.insert({ text: 'e' })
        await stand(session)
      })
      // Where entries are sealed after the commit, it stands where it stood.
      expect(seen).toEqual(engine.name === 'sqlite' ? [1, 3, 2] : [0, 0, 0])
      expect((await expectWhole()).flat()).toEqual([1, 2])
    })

    test('one link for each on an engine that writes one unit at a time, and several in one elsewhere', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => notes.insert({ text: `n${index}` })))
      const links = await expectWhole()
      if (engine.name === 'sqlite') expect(links).toHaveLength(20)
      else expect(links.length).toBeLessThan(20)
    })

    test('of a transaction beside each other, done at one instant', async () => {
      await Promise.all(
        Array.from({ length: 5 }, (_, unit) =>
          storage.transaction(async () => {
            for (const part of [1, 2, 3]) await notes.insert({ text: `${unit}.${part}` })
          }),
        ),
      )
      await expectWhole()
      const all = await rows()
      expect(new Set(all.map((row) => row['transaction_id'])).size).toBe(5)
      for (let start = 0; start < 15; start += 3) {
        const together = all.slice(start, start + 3)
        expect(new Set(together.map((row) => `${row['transaction_id']} ${moment(row['effective_at'])}`)).size).toBe(1)
        expect(together.map((row) => Number(row['id']))).toEqual(together.map((row) => Number(row['id'])).toSorted((a, b) => a - b))
      }
    })
  })

  test('goes on when the database is opened again, by several at once', async () => {
    const url = await engine.freshUrl()
    const accessors = Array.from({ length: 3 }, () => new ModelAccessor(Note, 'notes'))
    storage = (await openStorage({ url, accessors: [new ModelAccessor(Note, 'notes')] })) as unknown as Storage
    const others = await Promise.all(accessors.map((accessor) => openStorage({ url, accessors: [accessor] })))
    await Promise.all(accessors.flatMap((accessor, who) => Array.from({ length: 20 }, (_, n) => accessor.insert({ text: `${who} ${n}` }))))
    for (const other of others) await other.close()
    expect((await expectWhole()).flat()).toHaveLength(60)
    await storage.close()
  })

  test('has a new epoch after a restore, above the positions that it replaced, which it tells of', async () => {
    await notes.insert({ text: 'kept' })
    const file = join(await mkdtemp(join(tmpdir(), 'strongroom-chain-')), 'backup.sqlite')
    await storage.backup(file)
    for (const text of ['gone', 'too']) await notes.insert({ text })
    await storage.audit.waitUntilSealed()
    const replaced = await headRow()
    await storage.restore(file)
    await notes.insert({ text: 'after' })
    expect((await expectWhole()).flat()).toEqual([1, 4, 5])
    const [after, restored, kept] = await storage.audit.find()
    expect([kept?.epoch, restored?.epoch, after?.epoch]).toEqual([1, 2, 2])
    expect(restored).toMatchObject({
      operation: 'restore_database',
      position: 4,
      before: { epoch: 1, position: 3, hash: hex(replaced['hash']), last_entry: 3 },
    })
  })

  test('knows the last position of each instant, over what a restore has passed over, and from the first one on that is kept', async () => {
    const url = await engine.freshUrl()
    notes = new ModelAccessor(Note, 'notes')
    storage = (await openStorage({ url, accessors: [notes] })) as unknown as Storage
    await notes.insertMany([{ text: 'a' }, { text: 'b' }, { text: 'c' }])
    const file = join(await mkdtemp(join(tmpdir(), 'strongroom-chain-')), 'backup.sqlite')
    await storage.backup(file)
    await notes.insertMany(Array.from({ length: 20 }, (_, index) => ({ text: `gone ${index}` })))
    await storage.restore(file)
    for (const text of ['d', 'e', 'f']) {
      await notes.insert({ text })
      await storage.audit.waitUntilSealed()
    }
    const opened = await openEngine(url, { sqlite: {}, postgres: {} })
    const { order } = openLog(opened, { logger: console, isInside: () => false })
    const expectEach = async (): Promise<number> => {
      const places = (await rows()).map((row) => ({
        position: Number(row['seq']),
        time: new Date(String(moment(row['effective_at']))).getTime(),
      }))
      const times = new Set(places.flatMap(({ time }) => [time - 1, time, time + 1]))
      for (const time of times) {
        const last = places.findLast((place) => place.time <= time)
        expect(await order.positionAt(new Date(time)), String(time)).toBe(last?.position ?? 0)
      }
      return places.length
    }
    expect(await expectEach()).toBe(7)
    await tamper(url, 'DELETE FROM strongroom_audit_log WHERE seq < 3')
    expect(await expectEach()).toBe(5)
    await tamper(url, 'DELETE FROM strongroom_audit_log')
    expect(await order.positionAt(new Date())).toBe(0)
    await opened.close()
    await storage.close()
  })

  describe('of a database from before transactions had an index', () => {
    const older = `
      DROP INDEX strongroom_audit_log__transaction_id__id__idx;
      CREATE INDEX "strongroom_audit_log__effective_at__seq__idx" ON "strongroom_audit_log" ("effective_at", "seq");
      CREATE UNIQUE INDEX IF NOT EXISTS "strongroom_audit_log__seq__key" ON "strongroom_audit_log" ("seq");
      UPDATE strongroom_state SET value = '9' WHERE key = 'version';`
    const indexesOf = async (url: string): Promise<string[]> => {
      const opened = await openEngine(url, { sqlite: {}, postgres: {} })
      const tables = await opened.read((connection) => opened.inspect(connection))
      await opened.close()
      return tables.find(({ name }) => name === 'strongroom_audit_log')?.indexes.map(({ name }) => name) ?? []
    }

    test('goes on when it is opened and brought up', async () => {
      const url = await engine.freshUrl()
      notes = new ModelAccessor(Note, 'notes')
      const first = await openStorage({ url, accessors: [notes] })
      await notes.insert({ text: 'before' })
      await first.close()
      const upgraded = await indexesOf(url)
      await tamper(url, older)
      expect(await indexesOf(url)).not.toEqual(upgraded)
      storage = (await openStorage({ url, accessors: [notes] })) as unknown as Storage
      await notes.insert({ text: 'after' })
      expect((await expectWhole()).flat()).toEqual([1, 2])
      await storage.close()
      expect((await indexesOf(url)).toSorted()).toEqual(upgraded.toSorted())
    })

    test('is restored from a backup', async () => {
      await notes.insert({ text: 'before' })
      const file = join(await mkdtemp(join(tmpdir(), 'strongroom-chain-')), 'older.sqlite')
      await storage.audit.waitUntilSealed()
      await storage.backup(file)
      await tamper(`sqlite:${file}`, older)
      await storage.restore(file)
      await notes.insert({ text: 'after' })
      expect((await expectWhole()).flat()).toEqual([1, 2, 3])
    })
  })

  describe('a backup from before there was a chain', () => {
    /** What the chain has brought: indexes and columns. */
    const unchain = `
      DROP INDEX IF EXISTS strongroom_audit_log__seq__key; DROP INDEX strongroom_audit_log__component__seq__idx;
      UPDATE strongroom_audit_log SET seq = NULL, prev_hash = NULL, hash = NULL;
      ALTER TABLE strongroom_audit_log DROP COLUMN effective_at; ALTER TABLE strongroom_audit_log DROP COLUMN leaf;
      UPDATE strongroom_audit_head SET seq = 0, hash = NULL;
      ${['origin', 'effective_at', 'transaction_id', 'last_entry', 'sealed_at', 'retained_hash', 'retained_roots']
        .map((column) => `ALTER TABLE strongroom_audit_head DROP COLUMN ${column};`)
        .join(' ')}
      UPDATE strongroom_state SET value = '5' WHERE key = 'version';`

    const olderBackup = async (): Promise<string> => {
      await notes.insertMany(['a', 'b', 'c'].map((text) => ({ text })))
      await notes.update(2, { tag: 'changed' })
      const file = join(await mkdtemp(join(tmpdir(), 'strongroom-chain-')), 'older.sqlite')
      await storage.audit.waitUntilSealed()
      await storage.backup(file)
      await tamper(`sqlite:${file}`, unchain)
      return file
    }

    test('is restored, and its entries get their places', async () => {
      const file = await olderBackup()
      await notes.insert({ text: 'gone' })
      await storage.restore(file)
      await notes.insert({ text: 'after' })
      expect((await expectWhole()).flat()).toEqual([1, 2, 3, 4, 6, 7])
      expect((await notes.all()).map(({ text }) => text)).toEqual(['a', 'b', 'c', 'after'])
    })

    test('is opened and brought up, and what is backed up then can be restored elsewhere', async () => {
      const file = await olderBackup()
      const brought = await openStorage({ url: `sqlite:${file}`, accessors: [new ModelAccessor(Note, 'notes')] })
      const upgraded = `${file}.upgraded`
      await brought.backup(upgraded)
      expect((await brought.audit.find()).map(({ position }) => position)).toEqual([4, 3, 2, 1])
      await brought.close()
      await storage.restore(upgraded)
      expect((await expectWhole()).flat()).toEqual([1, 2, 3, 4, 5])
    })
  })
})
