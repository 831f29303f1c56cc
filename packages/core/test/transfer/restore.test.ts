import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { createReadStream } from 'node:fs'
import { copyFile, mkdtemp, open as openFile, readdir, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Default, defineModel, ModelAccessor, Ref, type RestoreStepMessage, type Storage } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { openEngine } from '../../src/engine/open-engine.ts'
import { openSnapshot } from '../../src/engine/open-snapshot.ts'
import { believedRows, rawDatabase, tamper } from '../audit/raw-database.ts'
import { rejectionOf, storagesOn } from '../support.ts'

const Person = defineModel(
  'people',
  { name: Type.String(), count: Default(Type.Integer(), 0), key: Type.Optional(Type.String()) },
  { softDelete: true, secret: ['key'] },
)
const Pet = defineModel('pets', { name: Type.String(), owner_id: Ref(() => Person) }, { id: 'uuid' })

/** When the trigger of INSERT refused in files of earlier versions, to the letter. */
const strayedThen = `NEW."seq" <= coalesce((SELECT "seq" FROM "strongroom_audit_log" WHERE "seq" IS NOT NULL ORDER BY "seq" DESC LIMIT 1), (SELECT "seq" FROM "strongroom_audit_head"), NEW."seq" - 1) OR (NEW."seq" > coalesce((SELECT "seq" FROM "strongroom_audit_log" WHERE "seq" IS NOT NULL ORDER BY "seq" DESC LIMIT 1), (SELECT "seq" FROM "strongroom_audit_head"), NEW."seq" - 1) + 1 AND NEW."operation" <> 'restore_database')
    OR NEW."prev_hash" IS NOT coalesce((SELECT "hash" FROM "strongroom_audit_log" WHERE "seq" IS NOT NULL ORDER BY "seq" DESC LIMIT 1), (SELECT "hash" FROM "strongroom_audit_head"), NEW."prev_hash")`
const appendedThen = `BEFORE INSERT ON "strongroom_audit_log" WHEN NEW."seq" IS NULL OR EXISTS (SELECT 1 FROM "strongroom_audit_log" WHERE "id" = NEW."id")
    OR `
const earlierAppends = {
  'first with ABORT': `${appendedThen}${strayedThen} BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
  'then with FAIL': `${appendedThen}${strayedThen} BEGIN SELECT RAISE(FAIL, 'the audit log is append-only'); END`,
  'then after one look at the last entry': `${appendedThen}((NEW."seq" - 1, NEW."prev_hash") IS NOT (SELECT "seq", "hash" FROM "strongroom_audit_log" ORDER BY "seq" DESC LIMIT 1) AND (${strayedThen})) BEGIN SELECT RAISE(FAIL, 'the audit log is append-only'); END`,
}

describeEngines('storage.restore', (engine) => {
  const open = storagesOn(engine)
  const start = async (url?: string) => {
    const people = new ModelAccessor(Person, 'people')
    const pets = new ModelAccessor(Pet, 'pets')
    const storage = await open([people, pets], url === undefined ? {} : { url })
    const owner = await people.insert({ name: 'Ann', key: 'canary' })
    await pets.insert({ name: 'Rex', owner_id: owner.id })
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-restore-'))
    const backup = join(folder, 'backup.sqlite')
    await storage.backup(backup)
    return { people, pets, storage, folder, backup }
  }
  const contentOf = async ({ people, pets, storage }: Awaited<ReturnType<typeof start>>) => {
    await storage.audit.waitUntilSealed()
    return {
      people: await people.all({ includeDeleted: true }),
      pets: await pets.all(),
      entries: await storage.audit.find(),
    }
  }

  test('brings back what the backup held, and says so in the log', async () => {
    const server = await start()
    const { people, pets, storage, backup } = server
    const before = await contentOf(server)
    await people.update(1, { name: 'Changed' })
    await pets.deleteMany({})
    await people.insert({ name: 'New' })
    const report = await storage.restore(backup, { actor: 'operator', requestId: 'r-9' })
    expect(report).toMatchObject({ restored: true, epoch: 2, since: { entries: 3, sameHistory: true } })
    expect(report.tables).toContainEqual({ table: 'people', now: 2, inFile: 1 })
    const after = await contentOf(server)
    expect({ people: after.people, pets: after.pets, entries: after.entries.slice(1) }).toEqual(before)
    expect(after.entries[0]).toMatchObject({
      operation: 'restore_database',
      component: 'db',
      actor: 'operator',
      request_id: 'r-9',
      epoch: 2,
      before: { epoch: 1 },
      after: { epoch: 2, bytes: report.bytes, sha256: report.sha256 },
    })
  })

  test('goes on writing in the new epoch, with ids above those that were given away', async () => {
    const { people, storage, backup } = await start()
    await people.insertMany([{ name: 'b' }, { name: 'c' }])
    const [last] = await storage.audit.find({ limit: 1 })
    await storage.restore(backup)
    expect((await people.insert({ name: 'd' })).id).toBe(4)
    const [entry, restored] = await storage.audit.find({ limit: 2 })
    expect(entry).toMatchObject({ operation: 'create', epoch: 2 })
    expect(restored?.id).toBeGreaterThan(last?.id ?? 0)
  })

  test('a dry run reports the same, and changes nothing', async () => {
    const server = await start()
    await server.people.insert({ name: 'New' })
    const before = await contentOf(server)
    const report = await server.storage.restore(server.backup, { dryRun: true })
    expect(report).toMatchObject({
      restored: false,
      safetyCopy: null,
      epoch: null,
      audit: { ok: true, entries: 2, fault: null },
      since: { entries: 1, sameHistory: true },
    })
    expect(await contentOf(server)).toEqual(before)
  })

  test('tells what is wrong with the log of a file, which may be all that is left', async () => {
    const server = await start()
    await server.storage.audit.waitUntilSealed()
    const file = join(server.folder, 'changed.sqlite')
    await server.storage.backup(file)
    await tamper(`sqlite:${file}`, `UPDATE strongroom_audit_log SET actor = 'nobody' WHERE id = 1`)
    const audit = { ok: false, fault: { kind: 'entry_changed', id: 1, detail: expect.stringMatching(/entry/) } }
    expect(await server.storage.restore(file, { dryRun: true })).toMatchObject({ restored: false, audit })
    expect(await server.storage.restore(file)).toMatchObject({ restored: true, audit })
  })

  test('undo brings back what was replaced', async () => {
    const server = await start()
    await server.people.insert({ name: 'New' })
    const before = await contentOf(server)
    await server.storage.restore(server.backup)
    const report = await server.storage.undoRestore({ actor: 'operator' })
    expect(report).toMatchObject({ restored: true, epoch: 3 })
    const after = await contentOf(server)
    expect({ ...after, entries: after.entries.slice(1) }).toEqual(before)
    expect(after.entries[0]).toMatchObject({ operation: 'restore_database', actor: 'operator' })
  })

  test('is no part of a transaction or hook, which it would wait for', async () => {
    const server = await start()
    const { people, storage, backup } = server
    const before = await contentOf(server)
    for (const call of [() => storage.restore(backup), () => storage.restore(backup, { dryRun: true }), () => storage.undoRestore()])
      expect(await rejectionOf(storage.transaction(() => call()))).toMatchObject({ code: 'outer_handle' })
    people.afterInsert(async () => void (await storage.restore(backup)))
    expect(await rejectionOf(people.insert({ name: 'Eve' }))).toMatchObject({ code: 'outer_handle' })
    expect(await contentOf(server)).toEqual(before)
  })

  test('without a restore there is nothing to undo', async () => {
    const { storage } = await start()
    expect(await rejectionOf(storage.undoRestore())).toMatchObject({ code: 'state_conflict' })
  })

  test('takes the bytes of a file, up to a limit', async () => {
    const { people, storage, backup } = await start()
    await people.insert({ name: 'New' })
    expect(await rejectionOf(storage.restore(createReadStream(backup), { maxBytes: 1000 }))).toMatchObject({ code: 'payload_too_large' })
    expect(await people.count()).toBe(2)
    await storage.restore(createReadStream(backup))
    expect(await people.count()).toBe(1)
  })

  test('idempotency keys that were used since stay used', async () => {
    const { people, storage, backup } = await start()
    const pay = () =>
      people.once({ key: 'k', scope: ['pay'], content: 'x' }, async () => ({ id: (await people.insert({ name: 'paid' })).id }))
    const first = await pay()
    await storage.restore(backup)
    expect(await pay()).toEqual({ answer: first.answer, replayed: true })
    expect(await people.count({ name: 'paid' })).toBe(0)
  })

  const edited = async (from: string, edit: (file: Database.Database) => void): Promise<string> => {
    const path = `${from}.${randomBytes(4).toString('hex')}`
    await copyFile(from, path)
    const file = new Database(path)
    edit(file)
    file.close()
    return path
  }
  const written = async (folder: string, content: Buffer): Promise<string> => {
    const path = join(folder, randomBytes(4).toString('hex'))
    await writeFile(path, content)
    return path
  }
  type Case = [title: string, code: string, make: (backup: string, folder: string) => Promise<string>, words: string]
  const bad: Case[] = [
    ['a text', 'validation_failed', (_, folder) => written(folder, Buffer.from('not a database '.repeat(500))), 'no SQLite database'],
    ['an empty file', 'validation_failed', (_, folder) => written(folder, Buffer.alloc(0)), 'empty'],
    ['an encrypted file', 'validation_failed', (_, folder) => written(folder, randomBytes(65_536)), 'no SQLite database'],
    [
      'a file that was cut short',
      'validation_failed',
      async (backup, folder) => {
        const path = join(folder, 'short')
        await copyFile(backup, path)
        await truncate(path, 20_000)
        return path
      },
      'cannot be restored',
    ],
    [
      'a file with a page of noise',
      'validation_failed',
      async (backup, folder) => {
        const path = join(folder, 'noise')
        await copyFile(backup, path)
        const file = await openFile(path, 'r+')
        await file.write(randomBytes(4096), 0, 4096, 4096 * 2)
        await file.close()
        return path
      },
      'cannot be restored',
    ],
    [
      'orphans',
      'validation_failed',
      (backup) =>
        edited(backup, (file) => {
          file.pragma('foreign_keys = OFF')
          file.exec('DELETE FROM people')
        }),
      'points to nothing',
    ],
    [
      'a trigger',
      'validation_failed',
      (backup) =>
        edited(backup, (file) => file.exec('CREATE TRIGGER wipe AFTER INSERT ON people BEGIN DELETE FROM strongroom_audit_log; END')),
      'trigger wipe',
    ],
    ['a view', 'validation_failed', (backup) => edited(backup, (file) => file.exec('CREATE VIEW v AS SELECT 1')), 'view v'],
    [
      'an index of somebody',
      'validation_failed',
      (backup) => edited(backup, (file) => file.exec('CREATE INDEX i ON people (name)')),
      'index i',
    ],
    ['a table of somebody', 'validation_failed', (backup) => edited(backup, (file) => file.exec('CREATE TABLE t (a)')), 'table t'],
    [
      'a table of ours with other SQL',
      'validation_failed',
      (backup) =>
        edited(backup, (file) => {
          file.exec('DROP TABLE pets; CREATE TABLE pets (id TEXT, name TEXT, owner_id INTEGER, row_version TEXT)')
        }),
      'table pets',
    ],
    [
      'a database of another application',
      'state_conflict',
      (backup) => edited(backup, (file) => void file.pragma('application_id = 7')),
      'another application',
    ],
    [
      'a database of a newer library',
      'state_conflict',
      (backup) => edited(backup, (file) => file.exec(`UPDATE strongroom_state SET value = '99' WHERE key = 'version'`)),
      'version 99',
    ],
  ]
  test.each(bad)('%s is refused (%s), and nothing is touched', async (_title, code, make, words) => {
    const server = await start()
    await server.people.insert({ name: 'New' })
    const before = await contentOf(server)
    const error = await rejectionOf(server.storage.restore(await make(server.backup, server.folder)))
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) })
    expect(await contentOf(server)).toEqual(before)
    await server.people.insert({ name: 'works on' })
  })

  test('a broken index is found also where the check of the file was left out', async () => {
    const server = await start()
    const before = await contentOf(server)
    const file = new Database(server.backup)
    const index = file.prepare(`SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND sql LIKE '%"actor"%'`).pluck()
    const page = Number(index.get())
    file.close()
    expect(page).toBeGreaterThan(1)
    const bytes = await openFile(server.backup, 'r+')
    await bytes.write(randomBytes(4096), 0, 4096, 4096 * (page - 1))
    await bytes.close()
    const error = await rejectionOf(server.storage.restore(server.backup, { integrityCheck: false }))
    expect(error).toMatchObject({ code: 'storage_unavailable' })
    expect(await contentOf(server)).toEqual(before)
  })

  test.each(Object.entries(earlierAppends))(
    'takes a file that an earlier version of this library has made, which refused %s',
    async (_, append) => {
      const started = await start()
      const before = await contentOf(started)
      const earlier = await edited(started.backup, (file) => {
        file.exec('DROP TRIGGER strongroom_audit_log__append; DROP TABLE strongroom_migrations')
        file.exec(`CREATE TRIGGER "strongroom_audit_log__append" ${append}`)
        file.exec('CREATE UNIQUE INDEX "strongroom_audit_log__seq__key" ON "strongroom_audit_log" ("seq")')
        file.exec('DROP INDEX "strongroom_audit_log__request_id__id__idx"')
        for (const column of ['component', 'timestamp', 'request_id'])
          file.exec(`CREATE INDEX "strongroom_audit_log__${column}__id__idx" ON "strongroom_audit_log" ("${column}", "id")`)
        file.exec("UPDATE strongroom_state SET value = '12' WHERE key = 'version'")
        file.exec(`CREATE TABLE "strongroom_migrations" (
  "name" TEXT NOT NULL PRIMARY KEY,
  "kind" TEXT NOT NULL CHECK ("kind" IN ('migration', 'automatic', 'contained')),
  "checksum" TEXT,
  "changes" TEXT NOT NULL,
  "actor" TEXT NOT NULL,
  "applied_at" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "row_version" TEXT NOT NULL
) STRICT`)
      })
      expect(await started.storage.restore(earlier)).toMatchObject({ restored: true })
      const { people, pets } = await contentOf(started)
      expect({ people, pets }).toEqual({ people: before.people, pets: before.pets })
      // And it goes on as any other.
      await started.people.insert({ name: 'New' })
      const again = `${started.backup}.again`
      await started.storage.backup(again)
      expect(await started.storage.restore(again)).toMatchObject({ restored: true })
    },
  )

  test('a second restore at once is refused', async () => {
    const { storage, backup } = await start()
    const outcomes = await Promise.allSettled([storage.restore(backup), storage.restore(backup)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'state_conflict' } })
  })

  test('a file without a table of a model gets it, empty', async () => {
    const { storage, pets, backup } = await start()
    const older = await edited(backup, (file) => file.exec('DROP TABLE pets'))
    const report = await storage.restore(older)
    expect(report.migrations).toEqual(['The table pets is made, empty.'])
    expect(await pets.count()).toBe(0)
  })

  test('readers see no error meanwhile, and a write is in the safety copy or in the new database', async () => {
    const server = await start()
    const { people, storage, backup } = server
    let running = true
    const acknowledged: string[] = []
    const writer = (async () => {
      for (let round = 0; running; round++) {
        const done = await people.insert({ name: `w${round}` }).then(
          () => true,
          (error: { code?: string }) => {
            expect(error.code).toBe('storage_busy')
            return false
          },
        )
        if (done) acknowledged.push(`w${round}`)
      }
    })()
    const reader = (async () => {
      while (running) {
        expect(await people.count()).toBeGreaterThan(0)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const reports = [await storage.restore(backup), await storage.restore(backup)]
    running = false
    await Promise.all([writer, reader])
    const kept = new Set((await people.all()).map(({ name }) => name))
    for (const { safetyCopy } of reports) for (const name of await namesIn(storage, safetyCopy)) kept.add(name)
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([])
  })

  test('somebody who reads for long keeps nobody else from reading and writing', async () => {
    const url = await engine.freshUrl()
    const people = new ModelAccessor(Person, 'people')
    const storage = await open([people], { url })
    await people.insertMany([{ name: 'a' }, { name: 'b' }])
    const backup = join(await mkdtemp(join(tmpdir(), 'strongroom-restore-')), 'backup.sqlite')
    await storage.backup(backup)
    const other = await openEngine(url, { sqlite: {}, postgres: {} })
    const snapshot = await openSnapshot(other.place)
    // The new content cannot come into the file now, or into the place of the tables.
    const waiting = new Promise<void>((resolve) => {
      subscribe('strongroom:restore', (message) => {
        const { step, requestId } = message as RestoreStepMessage
        if (requestId === url.slice(-100) && ['replaced', 'filled'].includes(step)) resolve()
      })
    })
    const restoring = storage.restore(backup, { requestId: url.slice(-100) })
    await waiting
    for (let round = 0; round < 3; round++) {
      expect(await people.count()).toBeGreaterThan(1)
      await people.insert({ name: 'c' })
    }
    // It sees what it saw, though it looks for the first time.
    let seen = 0
    for await (const rows of snapshot.stream({ sql: 'SELECT * FROM people', parameters: [] }, 100)) seen += rows.length
    expect(seen).toBe(2)
    await snapshot.close()
    expect(await restoring).toMatchObject({ restored: true })
    await other.close()
  })

  needs(engine, 'sessions', () => {
    test('rows in the middle of a file that the database refuses end it, and the next one goes through', async () => {
      const url = await engine.freshUrl()
      const started = await start(url)
      const { people, storage, folder, backup } = started
      await people.insertMany(Array.from({ length: 3_000 }, (_, index) => ({ name: `Person ${index}`.padEnd(100, '-') })))
      const refused = join(folder, 'refused.sqlite')
      await storage.backup(refused)
      // PostgreSQL keeps no NUL in a text.
      const file = new Database(refused)
      file.prepare("UPDATE people SET name = 'a' || char(0) WHERE id = 1500").run()
      file.close()
      const before = await contentOf(started)
      expect(await rejectionOf(storage.restore(refused))).toBeInstanceOf(Error)
      expect(await contentOf(started)).toEqual(before)
      const raw = await rawDatabase(url)
      const left = `SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'strongroom_staging_' || left(md5(current_schema()), 8))`
      expect(await raw.all(left)).toEqual([])
      await raw.close()
      expect(await storage.restore(backup)).toMatchObject({ restored: true })
      expect(await people.count()).toBe(1)
    })
  })

  needs(engine, 'statistics', () => {
    test('has questions planned for what it has brought, at once', async () => {
      const url = await engine.freshUrl()
      const { people, storage, folder } = await start(url)
      await people.insertMany(Array.from({ length: 999 }, (_, index) => ({ name: `Person ${index}` })))
      const large = join(folder, 'large.sqlite')
      await storage.backup(large)
      await people.purgeMany({ id: { gt: 1 } })
      await storage.restore(large)
      expect(await believedRows(url, ['people', 'pets'])).toEqual([
        { table: 'people', rows: 1_000 },
        { table: 'pets', rows: 1 },
      ])
    })
  })

  test('leaves no temporary file', async () => {
    const { storage, backup, folder } = await start()
    await storage.restore(backup)
    await rejectionOf(storage.restore(await written(folder, Buffer.from('x'))))
    const work = (await readdir(tmpdir())).filter((name) => name.startsWith(`.strongroom-work-${process.pid}-`))
    expect(work).toEqual([])
  })
})

/** The names of people in a safety copy: a file, or a schema beside the live one. */
async function namesIn(storage: Storage, copy: string | null): Promise<string[]> {
  if (copy === null) return []
  if (!copy.endsWith('.sqlite')) {
    const rows = await storage.kysely.withSchema(copy).selectFrom('people').select('name').execute()
    return rows.map(({ name }) => String(name))
  }
  const file = new Database(copy, { readonly: true })
  const rows = file.prepare('SELECT name FROM people').all() as { name: string }[]
  file.close()
  return rows.map(({ name }) => name)
}
