import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineAccess, defineModel, GoneError, ModelAccessor, openStorage, Ref, type Storage } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { changesSoFar, rejectionOf, storagesOn } from './support.ts'

const Person = defineModel('people', { name: Type.String(), org: Type.Optional(Type.String()) }, { id: 'text', softDelete: true })
const Letter = defineModel('letters', {
  text: Type.String(),
  writer_id: Ref(() => Person, { onDelete: 'cascade' }),
  reader_id: Type.Optional(Ref(() => Person, { onDelete: 'setNull' })),
})
const canary = 'canary'

describeEngines('erasure', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const people = new ModelAccessor(Person, 'people')
    const letters = new ModelAccessor(Letter, 'letters')
    const storage = await open([people, letters])
    await people.insertMany([
      { id: 'ann', name: `${canary}-ann` },
      { id: 'bob', name: `Bob` },
    ])
    await people.update('ann', { name: `${canary}-anna` })
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-erase-'))
    return { people, letters, storage, backup: join(folder, 'backup.sqlite') }
  }
  /** Everything that the tables hold, as text. */
  const content = async (storage: Storage): Promise<string> => {
    await storage.audit.waitUntilSealed()
    const tables = ['people', 'letters', 'strongroom_audit_log', 'strongroom_erasures']
    return JSON.stringify(await Promise.all(tables.map((table) => storage.kysely.selectFrom(table).selectAll().execute())))
  }
  const verdict = async (storage: Storage) => {
    await storage.audit.waitUntilSealed()
    return storage.audit.verify()
  }

  test('takes a record and what goes with it out of the tables and out of the history, which still verifies', async () => {
    const { people, letters, storage, backup } = await start()
    await letters.insert({ text: `${canary}-letter`, writer_id: 'ann' })
    const kept = await letters.insert({ text: 'kept', writer_id: 'bob', reader_id: 'ann' })
    expect(await content(storage)).toContain(canary)
    expect(await people.erase('ann', { actor: 'officer', requestId: 'r-1' })).toBe(true)
    expect(await content(storage)).not.toContain(canary)
    expect(await people.get('ann', { includeDeleted: true })).toBeNull()
    expect(await letters.get(kept.id)).toMatchObject({ text: 'kept', reader_id: null })
    const entries = await people.history('ann')
    expect(entries.map(({ operation }) => operation)).toEqual(['erase', 'purge', 'update', 'create'])
    expect(entries[0]).toMatchObject({ actor: 'officer', request_id: 'r-1', before: null, after: null })
    for (const { before, after } of entries) expect([before, after]).toEqual([null, null])
    expect(await letters.history(1)).toMatchObject([{ operation: 'erase' }, { operation: 'delete' }, { operation: 'create', after: null }])
    expect((await people.history('bob'))[0]?.after).toMatchObject({ name: 'Bob' })
    expect(await verdict(storage)).toMatchObject({ ok: true, fault: null, erased: 5 })
    // Nor does a copy hold it in places that nobody reads.
    await storage.backup(backup)
    const bytes = await readFile(backup)
    expect(bytes.includes('kept')).toBe(true)
    expect(bytes.includes(canary)).toBe(false)
    expect(await people.erase('ann')).toBe(false)
    expect(await people.erase('nobody')).toBe(false)
  })

  test('also of a record that is gone already, and by the name of its component', async () => {
    const { people, storage } = await start()
    await people.purge('ann')
    expect(await content(storage)).toContain(canary)
    expect(await storage.erase({ component: 'people', id: 'ann' }, { dryRun: true })).toBe(true)
    expect(await content(storage)).toContain(canary)
    expect(await storage.erase({ component: 'people', id: 'ann' })).toBe(true)
    expect(await content(storage)).not.toContain(canary)
    expect(await verdict(storage)).toMatchObject({ ok: true, erased: 3 })
    expect(await rejectionOf(storage.erase({ component: 'nothing', id: 1 }))).toMatchObject({ code: 'invalid_options' })
  })

  test('leaves nothing where the unit is rolled back, and asks hooks and references as a purge does', async () => {
    const { people, storage } = await start()
    const before = await content(storage)
    people.beforeDelete(({ record }) => {
      if (record.id === 'ann') throw new Error('not her')
    })
    expect(await rejectionOf(people.erase('ann'))).toMatchObject({ message: 'not her' })
    expect(await content(storage)).toBe(before)
  })

  test('the past of it is gone, and whoever follows changes hears that it was erased', async () => {
    const { people, storage } = await start()
    await storage.audit.waitUntilSealed()
    const [entry] = await people.history('ann')
    const time = new Date()
    await new Promise<void>((resolve) => {
      const later = setInterval(() => {
        if (Date.now() <= time.getTime()) return
        clearInterval(later)
        resolve()
      })
    })
    await people.erase('ann')
    for (const ask of [
      () => people.asOf(time).get('ann'),
      () => people.revert('ann', { to: time }),
      () => people.revert('ann', { to: entry?.id ?? 0 }),
    ])
      expect(await rejectionOf(ask())).toBeInstanceOf(GoneError)
    const told = await changesSoFar(storage, 'people')
    expect(told.at(-1)).toMatchObject({ entry: { operation: 'erase', record_id: 'ann', before: null, after: null } })
    expect(JSON.stringify(told)).not.toContain(canary)
  })

  test('a backup from before is erased again when it is restored, and one from after is left alone', async () => {
    const { people, letters, storage, backup } = await start()
    await letters.insert({ text: `${canary}-letter`, writer_id: 'ann' })
    await storage.backup(backup)
    await people.erase('ann')
    await people.insert({ id: 'ann', name: 'another Ann' })
    const after = `${backup}-after`
    await storage.backup(after)
    await storage.restore(backup)
    expect(await content(storage)).not.toContain(canary)
    expect(await people.get('ann', { includeDeleted: true })).toBeNull()
    expect(await people.get('bob')).not.toBeNull()
    expect((await storage.audit.find({ component: 'people', record_id: 'ann' }))[0]).toMatchObject({
      operation: 'erase',
      actor: 'internal',
    })
    expect(await verdict(storage)).toMatchObject({ ok: true })
    // What stood before the restore is brought back as it was, and has nothing to erase.
    await storage.undoRestore()
    expect(await people.get('ann')).toMatchObject({ name: 'another Ann' })
    await storage.restore(after)
    expect(await people.get('ann')).toMatchObject({ name: 'another Ann' })
    expect(await verdict(storage)).toMatchObject({ ok: true })
  })

  test('what came back some other way is erased when the storage is opened', async () => {
    const url = await engine.freshUrl()
    const people = new ModelAccessor(Person, 'people')
    // Tables of the library are known to nobody's types.
    const first: Storage = (await openStorage({ url, accessors: [people] })) as Storage<object> as Storage
    await people.insert({ id: 'ann', name: `${canary}-ann` })
    // As if the erasure had been remembered, and a process killed before the restored content was looked at.
    const moment = engine.name === 'sqlite' ? '2026-01-01T00:00:00.000Z' : new Date(0)
    const erasure = { component: 'people', record_id: 'ann', entry: 5_000, erased_at: moment, row_version: 'x' }
    await first.transaction(async ({ kysely }) => kysely.insertInto('strongroom_erasures').values(erasure).execute(), { unaudited: true })
    await first.close()
    const again = await open([new ModelAccessor(Person, 'people'), new ModelAccessor(Letter, 'letters')], { url })
    expect(await content(again)).not.toContain(canary)
    expect(await again.accessor(Person).count()).toBe(0)
  })

  describe('with rules', () => {
    const Paper = defineModel('papers', { org: Type.String(), owner: Type.String() }, { tenant: 'org' })
    const access = [
      defineAccess(Paper, {
        all: 'admin',
        read: ['admin', ({ id }) => ({ owner: String(id) })],
        delete: ({ id }) => ({ owner: String(id) }),
      }),
    ]
    const house = async () => {
      const papers = new ModelAccessor(Paper, 'papers')
      const storage = await open([papers], { access })
      await papers.insertMany([
        { org: 'red', owner: 'ann' },
        { org: 'red', owner: 'bob' },
        { org: 'blue', owner: 'ann' },
      ])
      return { papers, storage }
    }
    const ann = { id: 'ann', tenant: 'red' }

    test('a caller erases what it may remove, and what is gone only where it may see and remove everything', async () => {
      const { papers, storage } = await house()
      for (const id of [2, 3, 9]) expect(await papers.erase(id, { principal: ann }), String(id)).toBe(false)
      expect(await papers.erase(1, { principal: ann })).toBe(true)
      await papers.delete(2)
      await papers.delete(3)
      expect(await papers.erase(2, { principal: ann })).toBe(false)
      expect(await papers.history(2)).toMatchObject([{ before: { owner: 'bob' } }, {}])
      expect(await papers.erase(3, { tenant: 'red' })).toBe(false)
      expect(await papers.erase(3, { tenant: 'blue' })).toBe(true)
      const entries = await storage.audit.find({ component: 'papers', record_id: 3 })
      expect(entries.map(({ operation, before, after, tenant }) => [operation, before, after, tenant])).toEqual(
        ['erase', 'delete', 'create'].map((operation) => [operation, null, null, 'blue']),
      )
    })
  })
})
