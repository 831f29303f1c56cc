import { type AnyModel, defineModel, ModelAccessor, Ref } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { storagesOn } from '../support.ts'
import { csv, exported, streamed } from './import-support.ts'

const User = defineModel('users', {
  name: Type.String(),
  boss_id: Type.Optional(Ref((): AnyModel<number> => User)),
  home_id: Type.Optional(Ref((): AnyModel<string> => Home)),
})
const Home = defineModel(
  'homes',
  { owner_id: Ref((): AnyModel<number> => User), next_id: Ref((): AnyModel<string> => Home) },
  { id: 'text', stamps: { createdBy: { name: 'created_by', field: Ref((): AnyModel<number> => User) } } },
)
/** A ring or chain in which nobody may share a place. */
const Link = defineModel('links', { next_id: Ref((): AnyModel<number> => Link) }, { unique: [['next_id']] })
const Note = defineModel('notes', { text: Type.String(), user_id: Ref(() => User) })
/** A folder's name is its own only beside its parent. */
const Folder = defineModel(
  'folders',
  { name: Type.String(), parent_id: Type.Optional(Ref((): AnyModel<number> => Folder)) },
  { unique: [['parent_id', 'name']] },
)

describeEngines('references in an import', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const users = new ModelAccessor(User, 'users')
    const homes = new ModelAccessor(Home, 'homes')
    const links = new ModelAccessor(Link, 'links')
    const notes = new ModelAccessor(Note, 'notes')
    const folders = new ModelAccessor(Folder, 'folders')
    // Those that point come before those that they point to.
    return { users, homes, links, notes, folders, storage: await open([notes, homes, users, links, folders]) }
  }
  type Started = Awaited<ReturnType<typeof start>>
  const recordsOf = async ({ users, homes, links, notes, folders }: Started) => [
    await users.all(),
    await homes.all(),
    await links.all(),
    await notes.all(),
    await folders.all(),
  ]

  test('files come in the order that they need, whatever the order that they are given in', async () => {
    const { notes, storage } = await start()
    const report = await storage.import({ notes: csv('text,user_id', 'a,7'), users: csv('id,name', '7,Ann') })
    expect(report.applied).toBe(true)
    expect(await notes.all()).toEqual([{ id: 1, text: 'a', user_id: 7 }])
  })

  test('parents may come after their children, however far, with one entry that tells of the record as it is', async () => {
    const { users, storage } = await start()
    const rows = Array.from({ length: 600 }, (_, index) => `${index + 1},u,${index < 599 ? index + 2 : ''}`)
    expect(await storage.import({ users: csv('id,name,boss_id', ...rows) })).toMatchObject({ applied: true, tables: [{ inserted: 600 }] })
    expect((await users.all()).map(({ id, boss_id }) => (boss_id === null ? -id : boss_id - id))).toEqual([...Array(599).fill(1), -600])
    const entries = await storage.audit.find({ limit: 1000 })
    expect(entries.map(({ record_id, after }) => [record_id, after?.['boss_id']])).toEqual(
      rows.map((_, index) => [600 - index, index === 0 ? null : 601 - index]),
    )
  })

  test('an export with circles, within a table and between tables, makes an equal database', async () => {
    const source = await start()
    const { users, homes, links, notes, folders } = source
    await users.insertMany([{ name: 'Ann' }, { name: 'Bob' }, { name: 'Eve', boss_id: 1 }])
    await homes.insertMany(
      [
        { id: 'a', owner_id: 1, next_id: 'b' },
        { id: 'b', owner_id: 2, next_id: 'a' },
      ],
      { principal: { id: 2 } },
    )
    await homes.insert({ id: 'aa', owner_id: 3, next_id: 'b' })
    await homes.update('a', { next_id: 'aa' })
    await users.update(1, { boss_id: 3, home_id: 'b' })
    await users.update(2, { boss_id: 2, home_id: 'a' })
    await links.insertMany([
      { id: 3, next_id: 9 },
      { id: 9, next_id: 3 },
      { id: 5, next_id: 5 },
    ])
    await notes.insert({ text: 'x', user_id: 3 })
    await folders.insertMany([{ name: 'root' }, { name: 'etc', parent_id: 1 }, { name: 'root', parent_id: 1 }])
    await folders.insert({ name: 'new root' })
    await folders.update(1, { parent_id: 4 })
    const target = await start()
    expect(await target.storage.import(streamed(await exported(source.storage)))).toMatchObject({ applied: true, errorCount: 0 })
    expect(await recordsOf(target)).toEqual(await recordsOf(source))
    expect(await target.storage.audit.count()).toBe((await recordsOf(source)).flat().length)
  })

  test('required references that are a key as well, in rings over more rows than are written at once', async () => {
    const source = await start()
    const { links } = source
    await links.insertMany([
      { id: 1, next_id: 900 },
      { id: 900, next_id: 1 },
      { id: 2, next_id: 2 },
    ])
    await links.insertMany(Array.from({ length: 400 }, (_, index) => ({ id: 100 + index, next_id: 100 + ((index + 1) % 400) })))
    const target = await start()
    expect(await target.storage.import(streamed(await exported(source.storage)))).toMatchObject({ applied: true, errorCount: 0 })
    expect(await target.links.all()).toEqual(await links.all())
  })

  test('a reference to nothing is a fault of its row, whether its target could have come later or not', async () => {
    const { users, storage } = await start()
    await users.insert({ name: 'there' })
    const report = await storage.import({
      users: csv('id,name,boss_id,home_id', '5,a,1,', '6,b,77,', '7,c,,', '8,d,,nowhere'),
      notes: csv('text,user_id', 'x,5', 'y,88', 'z,1'),
      homes: csv('id,owner_id,next_id', 'h,5,h', 'i,5,gone'),
    })
    expect(report.applied).toBe(false)
    expect(report.errors.map(({ file, line, field }) => `${file} ${line} ${field}`).sort()).toEqual([
      'homes 3 next_id',
      'notes 3 user_id',
      'users 3 boss_id',
      'users 5 home_id',
    ])
    expect(report.errors.find(({ file }) => file === 'notes')?.message).toBe('user_id points to a record of users that does not exist.')
    expect([await users.count(), await storage.audit.count()]).toEqual([1, 1])
  })

  test('an upsert may turn references to records that come with it', async () => {
    const { users, storage } = await start()
    await users.insertMany([{ name: 'Ann' }, { name: 'Bob', boss_id: 1 }])
    const report = await storage.import(
      { users: csv('id,name,boss_id', '1,Ann,9', '2,Bob,1', ...Array.from({ length: 300 }, () => ',x,9'), '9,Zoe,2') },
      { mode: 'upsert' },
    )
    expect(report.tables[0]).toMatchObject({ inserted: 301, updated: 1, unchanged: 1 })
    expect([await users.get(1), await users.get(9)]).toMatchObject([{ boss_id: 9 }, { boss_id: 2 }])
    expect(await storage.audit.find({ record_id: '1', operation: 'update' })).toMatchObject([{ after: { boss_id: 9 } }])
  })

  test('a key that two records get with their references is a fault', async () => {
    const { storage } = await start()
    const late = [...Array.from({ length: 300 }, (_, index) => `${index + 10},n${index},`), '900,parent,']
    const { errors } = await storage.import({ folders: csv('id,name,parent_id', '1,same,900', '2,same,900', ...late) })
    expect(errors).toMatchObject([{ file: 'folders', line: 3, field: 'parent_id, name' }])
  })
})
