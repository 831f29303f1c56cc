import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineModel, ForbiddenError, ModelAccessor, type Storage, viewDatabase } from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'
import { tamper } from './raw-database.ts'

const Note = defineModel('notes', { text: Type.String() })
const log = 'strongroom_audit_log'
const head = 'strongroom_audit_head'

describeEngines('verification of the audit log', (engine) => {
  const open = storagesOn(engine)
  let url: string
  let storage: Storage
  let notes: ModelAccessor<typeof Note>

  beforeEach(async () => {
    url = await engine.freshUrl()
    notes = new ModelAccessor(Note, 'notes')
    storage = await open([notes], { url })
    // Two links of several on an engine that seals, and a link for each elsewhere.
    for (const group of ['a', 'b']) {
      await notes.insertMany(Array.from({ length: 6 }, (_, index) => ({ text: `${group}${index}` })))
      await storage.audit.waitUntilSealed()
    }
  })

  /** The fault that is found after somebody has done this past the library. */
  const faultAfter = async (...statements: readonly string[]) => {
    await tamper(url, ...statements)
    const { ok, fault } = await storage.audit.verify()
    expect(ok).toBe(fault === null)
    return fault && { kind: fault.kind, position: fault.position }
  }

  test('finds nothing wrong with a log that nobody has touched, and says how far it goes', async () => {
    const verdict = await storage.audit.verify()
    expect(verdict).toMatchObject({
      ok: true,
      epoch: 1,
      position: 12,
      entries: 12,
      erased: 0,
      unsealed: 0,
      retained_below: null,
      fault: null,
    })
    const empty = await open([new ModelAccessor(Note, 'notes')])
    expect(await empty.audit.verify()).toMatchObject({ ok: true, position: 0, entries: 0 })
  })

  describe('names the first bad entry when somebody has', () => {
    test('changed a byte of an image, or taken its salt', async () => {
      const change = (id: number, kind: string) => `UPDATE ${log} SET ${kind} WHERE id = ${id}`
      expect(await faultAfter(change(9, `"after" = replace("after", 'b2', 'b3')`))).toEqual({ kind: 'payload_changed', position: 9 })
      expect(await faultAfter(change(4, `"before" = '{}'`))).toEqual({ kind: 'payload_changed', position: 4 })
      expect(await faultAfter(change(2, 'salt = NULL'))).toEqual({ kind: 'payload_changed', position: 2 })
    })

    test.each(['actor', 'component', 'record_id', 'request_id', 'tenant', 'transaction_id'])('changed the %s', async (column) => {
      expect(await faultAfter(`UPDATE ${log} SET ${column} = 'x' WHERE id = 5`)).toEqual({ kind: 'entry_changed', position: 5 })
    })

    test('changed a number, an instant, the hash of an image or a link', async () => {
      const other = `'2020-01-01T00:00:00.000Z'`
      const bytes = engine.has('oneFile') ? `x'${'ab'.repeat(32)}'` : `'\\x${'ab'.repeat(32)}'::bytea`
      expect(await faultAfter(`UPDATE ${log} SET schema_version = 7 WHERE id = 11`)).toEqual({ kind: 'entry_changed', position: 11 })
      expect(await faultAfter(`UPDATE ${log} SET timestamp = ${other} WHERE id = 10`)).toEqual({ kind: 'entry_changed', position: 10 })
      expect(await faultAfter(`UPDATE ${log} SET id = 99 WHERE id = 9`)).toEqual({ kind: 'entry_changed', position: 9 })
      expect(await faultAfter(`UPDATE ${log} SET effective_at = ${other} WHERE id = 8`)).toEqual({ kind: 'out_of_order', position: 8 })
      expect(await faultAfter(`UPDATE ${log} SET epoch = 0 WHERE id = 7`)).toEqual({ kind: 'out_of_order', position: 7 })
      expect(await faultAfter(`UPDATE ${log} SET payload_hash = ${bytes} WHERE id = 6`)).toEqual({ kind: 'payload_changed', position: 6 })
      expect(await faultAfter(`UPDATE ${log} SET prev_hash = ${bytes} WHERE id = 4`)).toEqual({ kind: 'not_linked', position: 4 })
      const links = await faultAfter(`UPDATE ${log} SET hash = ${bytes} WHERE id <= 3`)
      expect(links?.position).toBe(1)
    })

    test('erased an entry that no other one tells of', async () => {
      expect(await faultAfter(`UPDATE ${log} SET "before" = NULL, "after" = NULL, salt = NULL WHERE id = 5`)).toEqual({
        kind: 'payload_missing',
        position: 5,
      })
    })

    test('removed entries: in the middle, at the start, at the end, all of them', async () => {
      expect(await faultAfter(`DELETE FROM ${log} WHERE id = 12`)).toEqual({ kind: 'cut_off', position: 12 })
      expect(await faultAfter(`DELETE FROM ${log} WHERE id IN (9, 10)`)).toEqual({ kind: 'missing', position: 9 })
      expect(await faultAfter(`DELETE FROM ${log} WHERE id = 5`)).toEqual({ kind: 'missing', position: 5 })
      expect(await faultAfter(`DELETE FROM ${log} WHERE id = 1`)).toEqual({ kind: 'missing', position: 1 })
      expect(await faultAfter(`DELETE FROM ${log}`)).toEqual({ kind: 'cut_off', position: 1 })
    })

    test('swapped two, whatever went along', async () => {
      const swap = (columns: readonly string[]): string[] => [
        `CREATE TABLE swapped AS SELECT * FROM ${log} WHERE id IN (3, 4)`,
        `UPDATE ${log} SET seq = -seq WHERE id IN (3, 4)`,
        `UPDATE ${log} SET ${columns.map((name) => `"${name}" = (SELECT "${name}" FROM swapped WHERE swapped.id = 7 - ${log}.id)`).join(', ')} WHERE id IN (3, 4)`,
        'DROP TABLE swapped',
      ]
      const [alone, all] = [['seq'], ['seq', 'prev_hash', 'hash', 'leaf', 'effective_at']]
      expect((await faultAfter(...swap(alone)))?.position).toBe(3)
      await tamper(url, ...swap(alone))
      expect(await storage.audit.verify()).toMatchObject({ ok: true })
      const found = await faultAfter(...swap(all))
      // What was sealed together has one hash: there it is one of the link's entries, and its first is the first that can be it.
      expect(found?.position).toBe(3)
    })

    test('inserted one: in the middle, at the end, with a place or without', async () => {
      const columns =
        'timestamp, component, operation, actor, "before", "after", transaction_id, schema_version, epoch, payload_hash, salt, effective_at, prev_hash, hash'
      const insert = (id: number, seq: string) =>
        `INSERT INTO ${log} (id, seq, row_version, ${columns}) SELECT ${id}, ${seq}, 'x', ${columns} FROM ${log} WHERE id = 12`
      const shift = `UPDATE ${log} SET seq = -seq - 1 WHERE seq >= 5`
      expect(await faultAfter(insert(100, '13'))).toMatchObject({ position: 13 })
      await tamper(url, `DELETE FROM ${log} WHERE id = 100`, shift, `UPDATE ${log} SET seq = -seq WHERE seq < 0`)
      expect(await faultAfter(insert(100, '5'))).toMatchObject({ position: 5 })
    })

    test.each([
      ['of no component', '', '13'],
      ['far behind the last one', 'notes', '9000000000000000000'],
      ['far before the first one', 'notes', '-9000000000000000000'],
    ])('inserted one %s', async (_where, component, seq) => {
      const columns =
        'timestamp, operation, actor, "before", "after", transaction_id, schema_version, epoch, payload_hash, salt, effective_at, prev_hash, hash'
      const forged = `INSERT INTO ${log} (id, seq, row_version, component, ${columns})
        SELECT 100, ${seq}, 'x', '${component}', ${columns} FROM ${log} WHERE id = 12`
      expect(Math.abs((await faultAfter(forged))?.position ?? 0)).toBeGreaterThan(12)
    })

    test('set the head back, or forward, or another log’s in its place', async () => {
      expect(await faultAfter(`UPDATE ${head} SET seq = 13`)).toEqual({ kind: 'cut_off', position: 13 })
      expect(await faultAfter(`UPDATE ${head} SET seq = 11`)).toEqual({ kind: 'beyond_head', position: 12 })
      expect(await faultAfter(`UPDATE ${head} SET seq = 12, origin = 'another'`)).toEqual({ kind: 'not_linked', position: 1 })
      const restored = await storage.audit.verify()
      expect(restored.origin).toBe('another')
    })
  })

  test('goes on across a restore, which passes over the positions that it replaced', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'strongroom-verify-')), 'backup.sqlite')
    await storage.backup(file)
    await notes.insertMany([{ text: 'gone' }, { text: 'too' }])
    await storage.audit.waitUntilSealed()
    await storage.restore(file)
    await notes.insert({ text: 'after' })
    await storage.audit.waitUntilSealed()
    expect(await storage.audit.verify()).toMatchObject({ ok: true, epoch: 2, position: 16, entries: 14 })
    const view = await viewDatabase({ url: `sqlite:${file}` })
    onTestFinished(() => view.close())
    expect(await view.audit.verify()).toMatchObject({ ok: true, epoch: 1, position: 12 })
    expect(await faultAfter(`DELETE FROM ${log} WHERE operation = 'restore_database'`)).toEqual({ kind: 'missing', position: 13 })
  })

  test('begins where retention has left off', async () => {
    await tamper(
      url,
      `UPDATE ${head} SET retained_below = 7, retained_hash = (SELECT hash FROM ${log} WHERE seq = 6)`,
      `DELETE FROM ${log} WHERE seq < 7`,
    )
    expect(await storage.audit.verify()).toMatchObject({ ok: true, entries: 6, position: 12, retained_below: 7 })
    expect(await faultAfter(`DELETE FROM ${log} WHERE seq = 7`)).toEqual({ kind: 'missing', position: 7 })
  })

  test('is not for those who belong to one tenant', async () => {
    expect(await rejectionOf(storage.actingAs({ tenant: 'red' }, () => storage.audit.verify()))).toBeInstanceOf(ForbiddenError)
  })

  needs(engine, 'pragmas', () => {
    test('finds an entry that has no place where each gets one at once', async () => {
      const columns = 'timestamp, component, operation, actor, "before", "after", transaction_id, schema_version, epoch, payload_hash, salt'
      const sneaked = `INSERT INTO ${log} (id, row_version, ${columns}) SELECT 100, 'x', ${columns} FROM ${log} WHERE id = 12`
      await tamper(url, sneaked)
      expect((await storage.audit.verify()).fault).toMatchObject({ kind: 'without_place', id: 100, position: null })
    })
  })
})
