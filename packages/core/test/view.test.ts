import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  databaseFile,
  defineAccess,
  defineModel,
  ModelAccessor,
  openStorage,
  type Storage,
  type StorageOptions,
  viewDatabase,
} from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { rejectionOf } from './support.ts'
import { freshFolder } from './transfer/schedule-support.ts'

const Task = defineModel('tasks', { title: Type.String() })
const Word = defineModel('words', { meaning: Type.String() }, { id: { name: 'word', type: 'text' } })
const accessors = (): StorageOptions['accessors'] => [new ModelAccessor(Task, 'tasks'), new ModelAccessor(Word, 'vocabulary')]

/** What stands in a folder, to the byte. */
const contentOf = (folder: string) =>
  readdirSync(folder).map((name) => [
    name,
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex'),
  ])

describeEngines('viewDatabase', (engine) => {
  let url: string
  let storage: Storage
  beforeAll(async () => {
    url = await engine.freshUrl()
    storage = await openStorage({ url, accessors: accessors() })
    await storage.accessor(Task).insert({ title: 'Look' }, { actor: 'ada' })
    await storage.accessor(Word).insert({ word: '7', meaning: 'seven' }, { actor: 'bob' })
    // what is sealed between two reads differs between them
    await storage.audit.waitUntilSealed()
  })
  afterAll(() => storage.close())
  const view = async (options: Partial<Parameters<typeof viewDatabase>[0]> = {}) => {
    const opened = await viewDatabase({ url, ...options })
    onTestFinished(() => opened.close())
    return opened
  }

  test('reads the log of a database that somebody else has open, without its models', async () => {
    const { audit } = await view()
    expect((await audit.find()).map(({ actor, component, record_id }) => [actor, component, record_id])).toEqual([
      ['bob', 'vocabulary', '7'],
      ['ada', 'tasks', 1],
    ])
    expect(await audit.find({ actor: 'ada' })).toEqual(await storage.audit.find({ actor: 'ada' }))
  })

  test('tells what rules say of a caller, as the storage would, and is held to none itself', async () => {
    const rules = { accessors: accessors(), access: [defineAccess(Task, { read: ({ id }) => ({ title: String(id) }) })] }
    const opened = await view(rules)
    const ask = (id: number | undefined, caller: string) =>
      opened.explainAccess({ component: 'tasks', operation: 'read', principal: { id: caller }, id })
    expect(await ask(1, 'Look')).toMatchObject({ allowed: true, rule: 'tasks.read', reason: 'The record holds the condition.' })
    expect([(await ask(1, 'Other')).allowed, (await ask(undefined, 'Other')).allowed, (await ask(9, 'Look')).allowed]).toEqual([
      false,
      true,
      false,
    ])
    const closed = await opened.explainAccess({ component: 'vocabulary', operation: 'read', principal: { id: 'Look' } })
    expect([closed.allowed, closed.rule]).toEqual([false, 'vocabulary.no rule for read'])
    expect(await opened.audit.count()).toBe(2)

    const question = { component: 'nothing', operation: 'read', principal: { id: 1 } } as const
    expect(await rejectionOf(opened.explainAccess(question))).toMatchObject({ code: 'invalid_options' })
    expect(await rejectionOf((await view({ accessors: accessors() })).explainAccess(question))).toMatchObject({ code: 'invalid_options' })
    expect(await rejectionOf(viewDatabase({ url, access: rules.access }))).toMatchObject({ code: 'invalid_options' })
  })

  test('asks for its health', async () => {
    const { audit, schemaDifferences } = await (await view({ accessors: accessors() })).health()
    expect([audit.lastEntry?.id, schemaDifferences]).toEqual([2, []])
    const Extra = defineModel('extras', { name: Type.String() })
    const other = await view({ accessors: [new ModelAccessor(Extra, 'extras')] })
    expect((await other.health()).schemaDifferences).toEqual(['Table extras does not exist.'])
    expect(await rejectionOf(viewDatabase({ url, accessor: [] } as never))).toMatchObject({ code: 'invalid_options' })
    expect(await rejectionOf(other.export(join(await freshFolder(), 'x.zip')))).toMatchObject({ code: 'schema_mismatch' })
  })

  test('exports, backs up and draws, as the storage does', async () => {
    const folder = await freshFolder()
    const opened = await view({ accessors: accessors() })
    const { files } = await opened.export(join(folder, 'x.zip'))
    expect(files.map(({ table, rows }) => `${table} ${rows}`)).toEqual(['tasks 1', 'words 1', 'strongroom_audit_log 2'])
    await opened.backup(join(folder, 'b.sqlite'))
    expect((await storage.restore(join(folder, 'b.sqlite'), { dryRun: true })).since).toMatchObject({ entries: 0, sameHistory: true })
    expect(await opened.diagram({ format: 'dot' })).toBe(await storage.diagram({ format: 'dot' }))
  })

  needs(engine, 'sessions', () => {
    test('a backup that is gathered table by table needs the models', async () => {
      expect(await rejectionOf((await view()).backup(join(await freshFolder(), 'b.sqlite')))).toMatchObject({ code: 'invalid_options' })
      expect(databaseFile(url)).toBeUndefined()
    })
  })

  needs(engine, 'oneFile', () => {
    const lookAt = async (path: string) => {
      const opened = await viewDatabase({ url: `sqlite:${path}` })
      const count = await opened.audit.count()
      await opened.close()
      return count
    }
    const live = () => databaseFile(url) ?? ''

    test('changes not a byte of a backup, and leaves nothing beside it, in a folder that cannot be written too', async () => {
      const folder = await freshFolder()
      await storage.backup(join(folder, 'b.sqlite'))
      const before = contentOf(folder)
      chmodSync(folder, 0o500)
      onTestFinished(() => chmodSync(folder, 0o700))
      expect([await lookAt(join(folder, 'b.sqlite')), contentOf(folder)]).toEqual([2, before])
    })

    test('nor of a file that was copied from a live database, with its log and without', async () => {
      const folder = await freshFolder()
      for (const ending of ['', '-wal']) copyFileSync(`${live()}${ending}`, join(folder, `with-log${ending}`))
      copyFileSync(live(), join(folder, 'without'))
      const closed = await openStorage({ url: `sqlite:${join(folder, 'closed')}`, accessors: accessors() })
      await closed.accessor(Task).insert({ title: 'Close' })
      await closed.close()
      const before = contentOf(folder)
      expect(await lookAt(join(folder, 'with-log'))).toBe(2)
      expect(await lookAt(join(folder, 'closed'))).toBe(1)
      // Nothing of it had come out of the log yet.
      expect(await rejectionOf(lookAt(join(folder, 'without')))).toMatchObject({ code: 'schema_mismatch' })
      expect(contentOf(folder)).toEqual(before)
    })

    test('nor of a live database', async () => {
      const folder = dirname(live())
      const before = contentOf(folder).filter(([name]) => !name?.endsWith('-shm'))
      expect(await lookAt(live())).toBe(2)
      expect(contentOf(folder).filter(([name]) => !name?.endsWith('-shm'))).toEqual(before)
      expect(await storage.audit.count()).toBe(2)
    })

    test('makes no file, and refuses what is no database of this library', async () => {
      const folder = await freshFolder()
      writeFileSync(join(folder, 'text'), 'not a database, though long enough to have a header'.repeat(10))
      writeFileSync(join(folder, 'empty'), '')
      const before = contentOf(folder)
      expect(await rejectionOf(lookAt(join(folder, 'none')))).toMatchObject({ code: 'invalid_options' })
      expect(await rejectionOf(lookAt(join(folder, 'text')))).toMatchObject({ code: 'validation_failed' })
      expect(await rejectionOf(lookAt(join(folder, 'empty')))).toMatchObject({ code: 'schema_mismatch' })
      expect(await rejectionOf(lookAt(folder))).toMatchObject({ code: 'storage_unavailable' })
      expect(contentOf(folder)).toEqual(before)
    })
  })
})
