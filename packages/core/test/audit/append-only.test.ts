import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineModel, ModelAccessor, openStorage, type Storage, UsageError } from '@strongroom/core'
import { asSuperuser, describeEngines, needs } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'
import { type RawDatabase, rawDatabase, tamper } from './raw-database.ts'

const Note = defineModel('notes', { text: Type.String() })
const log = 'strongroom_audit_log'
const head = 'strongroom_audit_head'

/** What nobody may do, whoever it is. */
const forbidden: Readonly<Record<string, string>> = {
  'changes an image': `UPDATE ${log} SET "after" = '{}' WHERE id = 1`,
  'changes an actor': `UPDATE ${log} SET actor = 'nobody' WHERE id = 1`,
  'changes an id': `UPDATE ${log} SET id = 99 WHERE id = 1`,
  'moves an entry': `UPDATE ${log} SET seq = 99 WHERE id = 1`,
  'changes a link': `UPDATE ${log} SET hash = prev_hash WHERE id = 1`,
  'takes a place away': `UPDATE ${log} SET seq = NULL, prev_hash = NULL, hash = NULL WHERE id = 1`,
  'erases what no entry says is erased': `UPDATE ${log} SET "before" = NULL, "after" = NULL, salt = NULL WHERE id = 1`,
  'removes an entry': `DELETE FROM ${log} WHERE id = 2`,
  'removes all entries': `DELETE FROM ${log}`,
  'adds an entry with a place of its own': `INSERT INTO ${log} (timestamp, component, operation, actor, transaction_id, schema_version, epoch, seq, prev_hash, hash, row_version)
    SELECT timestamp, component, operation, actor, transaction_id, schema_version, epoch, 1000, prev_hash, hash, 'x' FROM ${log} WHERE id = 1`,
  'sets the head back': `UPDATE ${head} SET seq = 1`,
  'sets the epoch back': `UPDATE ${head} SET epoch = 0`,
  'names another log': `UPDATE ${head} SET origin = 'another'`,
  'lets go of entries that are still to come': `UPDATE ${head} SET retained_below = 1000`,
  'removes the head': `DELETE FROM ${head}`,
  'adds a head': `INSERT INTO ${head} (id, epoch, seq, retained_below, row_version) VALUES (2, 1, 0, 0, 'x')`,
}

describeEngines('the audit log in the database', (engine) => {
  const open = storagesOn(engine)
  let url: string
  let storage: Storage
  let notes: ModelAccessor<typeof Note>
  let raw: RawDatabase

  beforeEach(async () => {
    url = await engine.freshUrl()
    notes = new ModelAccessor(Note, 'notes')
    storage = await open([notes], { url })
    for (const text of ['a', 'b', 'c']) await notes.insert({ text })
    await storage.audit.waitUntilSealed()
    raw = await rawDatabase(url)
    onTestFinished(() => raw.close())
  })

  const content = async (): Promise<unknown> => [
    await raw.all(`SELECT * FROM ${log} ORDER BY id`),
    await raw.all(`SELECT id, epoch, seq, hash, origin, retained_below FROM ${head}`),
  ]

  test('refuses whatever would change it, from any connection, and stays as it was', async () => {
    const before = await content()
    for (const [what, statement] of Object.entries(forbidden)) {
      expect(String(await rejectionOf(raw.run(statement))), what).toContain('append-only')
    }
    expect(await content()).toEqual(before)
    await notes.insert({ text: 'd' })
  })

  test('says so to a transaction that may write past the log', async () => {
    const attempt = storage.transaction(async ({ kysely }) => void (await sql.raw(`DELETE FROM ${log} WHERE id = 1`).execute(kysely)), {
      unaudited: true,
    })
    const error = await rejectionOf(attempt)
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code: 'unaudited_write', message: expect.stringContaining('append-only') })
    expect((await storage.audit.find()).map(({ id }) => id)).toEqual([3, 2, 1])
  })

  test('lets an erasure through that an entry of the same record tells of', async () => {
    await tamper(url, `UPDATE ${log} SET operation = 'erase' WHERE id = 3`, `UPDATE ${log} SET record_id = '1' WHERE id = 3`)
    await storage.close()
    const again = await open([new ModelAccessor(Note, 'notes')], { url })
    const erase = (id: number): Promise<void> => raw.run(`UPDATE ${log} SET "before" = NULL, "after" = NULL, salt = NULL WHERE id = ${id}`)
    await erase(1)
    expect(String(await rejectionOf(erase(2)))).toContain('append-only')
    expect((await again.audit.find()).map(({ after }) => after === null)).toEqual([false, false, true])
  })

  test('lets entries go below what is retained, which only grows', async () => {
    await raw.run(`UPDATE ${head} SET retained_below = 3`)
    expect(String(await rejectionOf(raw.run(`DELETE FROM ${log} WHERE seq <= 3`)))).toContain('append-only')
    await raw.run(`DELETE FROM ${log} WHERE seq < 3`)
    expect(String(await rejectionOf(raw.run(`UPDATE ${head} SET retained_below = 2`)))).toContain('append-only')
    await notes.insert({ text: 'd' })
    await storage.audit.waitUntilSealed()
    expect((await storage.audit.find()).map(({ position }) => position)).toEqual([4, 3])
  })

  test('goes on where all entries have gone', async () => {
    await raw.run(`UPDATE ${head} SET retained_below = 4`)
    await raw.run(`DELETE FROM ${log}`)
    await notes.insert({ text: 'd' })
    await storage.audit.waitUntilSealed()
    expect((await storage.audit.find()).map(({ position }) => position)).toEqual([4])
  })

  describe('whose triggers are gone, or other ones', () => {
    const isRefused = async (): Promise<boolean> =>
      raw.run(`DELETE FROM ${log} WHERE id = 3`).then(
        () => false,
        () => true,
      )

    test('gets them back when it is opened, if it may', async () => {
      await storage.close()
      await tamper(url)
      const refusal = await rejectionOf(openStorage({ url, accessors: [new ModelAccessor(Note, 'notes')], createTables: false }))
      expect(refusal).toMatchObject({ code: 'schema_mismatch', message: expect.stringContaining(`${log} is not append-only`) })
      await open([new ModelAccessor(Note, 'notes')], { url })
      expect(await isRefused()).toBe(true)
      await open([new ModelAccessor(Note, 'notes')], { url, createTables: false })
    })

    test('gets them back where one of them lets everything through', async () => {
      await storage.close()
      if (engine.has('oneFile')) {
        await raw.run(`DROP TRIGGER ${log}__delete; CREATE TRIGGER ${log}__delete BEFORE DELETE ON ${log} BEGIN SELECT 1; END`)
      } else {
        await raw.run(
          `CREATE OR REPLACE FUNCTION ${log}__guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(NEW, OLD); END'`,
        )
      }
      await open([new ModelAccessor(Note, 'notes')], { url })
      expect(await isRefused()).toBe(true)
    })
  })

  test('is kept so after a restore, and in the backup', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'strongroom-append-')), 'backup.sqlite')
    await storage.backup(file)
    await notes.insert({ text: 'gone' })
    await storage.restore(file)
    await notes.insert({ text: 'after' })
    await storage.audit.waitUntilSealed()
    const copy = await rawDatabase(`sqlite:${file}`)
    onTestFinished(() => copy.close())
    for (const database of [raw, copy]) {
      for (const statement of [`DELETE FROM ${log} WHERE id = 1`, `UPDATE ${log} SET actor = 'x'`, `UPDATE ${head} SET seq = 0`])
        expect(String(await rejectionOf(database.run(statement)))).toContain('append-only')
    }
  })

  needs(engine, 'pragmas', () => {
    test('is not walked past by a REPLACE, with recursive triggers or without', async () => {
      for (const pragma of ['ON', 'OFF']) {
        await raw.run(`PRAGMA recursive_triggers = ${pragma}`)
        const before = await content()
        for (const seq of ['seq', 'seq + 3'])
          expect(
            String(
              await rejectionOf(
                raw.run(`INSERT OR REPLACE INTO ${log} SELECT * FROM (SELECT * FROM ${log} WHERE id = 1) WHERE ${seq} > 0`),
              ),
            ),
          ).toContain('append-only')
        expect(String(await rejectionOf(raw.run(`UPDATE OR REPLACE ${log} SET seq = 1 WHERE id = 2`)))).toContain('append-only')
        expect(await content()).toEqual(before)
      }
    })

    test('takes no entry that does not follow the last one', async () => {
      const columns = (await raw.all(`SELECT name FROM pragma_table_info('${log}')`)).map(({ name }) => String(name))
      const follow = (values: Readonly<Record<string, string>>): Promise<void> =>
        raw.run(
          `INSERT INTO ${log} (${columns.map((name) => `"${name}"`).join(', ')}) SELECT ${columns.map((name) => values[name] ?? `"${name}"`).join(', ')} FROM ${log} WHERE id = 3`,
        )
      expect(String(await rejectionOf(follow({ id: '4', seq: '4' })))).toContain('append-only')
      expect(String(await rejectionOf(follow({ id: '4', seq: '5', prev_hash: 'hash' })))).toContain('append-only')
      expect(String(await rejectionOf(follow({ id: '4', seq: 'NULL', prev_hash: 'hash' })))).toContain('append-only')
      await follow({ id: '4', seq: '4', prev_hash: 'hash' })
      // Nobody gets between what stands there, nor gives its position away once more: the library neither, whose head does not know of it.
      for (const id of ['3', '-1', '-2', 'NULL'])
        expect(String(await rejectionOf(follow({ id, seq: '4', prev_hash: 'hash' }))), id).toContain('append-only')
      expect(String(await rejectionOf(notes.insert({ text: 'd' })))).toContain('append-only')
      expect((await raw.all(`SELECT seq FROM ${log} ORDER BY seq`)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    })

    test('gives no position away twice where an entry has an id below all others', async () => {
      const columns = (await raw.all(`SELECT name FROM pragma_table_info('${log}')`)).map(({ name }) => String(name))
      const values: Readonly<Record<string, string>> = { id: '-1', seq: '4', prev_hash: 'hash' }
      await raw.run(
        `INSERT INTO ${log} (${columns.map((name) => `"${name}"`).join(', ')}) SELECT ${columns.map((name) => values[name] ?? `"${name}"`).join(', ')} FROM ${log} WHERE id = 3`,
      )
      expect(String(await rejectionOf(notes.insert({ text: 'd' })))).toContain('append-only')
      expect((await raw.all(`SELECT seq FROM ${log} ORDER BY seq`)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    })
  })

  needs(engine, 'sessions', () => {
    test('is not emptied by TRUNCATE, and a role that only writes can seal and nothing more', async () => {
      for (const table of [log, head]) expect(String(await rejectionOf(raw.run(`TRUNCATE ${table}`)))).toContain('append-only')
      const [{ schema } = {}] = await raw.all('SELECT current_schema() AS schema')
      const role = `writer_of_${schema}`
      await asSuperuser((client) => client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'writer'`))
      onTestFinished(() => asSuperuser(async (client) => void (await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))))
      await raw.run(`GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ${schema} TO ${role};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}; GRANT UPDATE, DELETE ON notes TO ${role}; GRANT UPDATE ON ${head} TO ${role};
        GRANT UPDATE (epoch, seq, effective_at, prev_hash, hash, leaf) ON ${log} TO ${role}`)
      await storage.close()
      const own = new URL(url)
      own.username = role
      own.password = 'writer'
      const accessor = new ModelAccessor(Note, 'notes')
      const writer = await open([accessor], { url: own.href.replaceAll('+', '%20'), createTables: false })
      await accessor.insert({ text: 'd' })
      await writer.audit.waitUntilSealed()
      expect((await writer.audit.find()).map(({ position }) => position)).toEqual([4, 3, 2, 1])
      const client = await rawDatabase(own.href.replaceAll('+', '%20'))
      onTestFinished(() => client.close())
      for (const statement of [`DELETE FROM ${log}`, `UPDATE ${log} SET salt = NULL`, `TRUNCATE ${log}`])
        expect(String(await rejectionOf(client.run(statement)))).toContain('permission denied')
    })
  })
})
