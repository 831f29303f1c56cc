import { readdirSync, statSync } from 'node:fs'
import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  type AnyAccessor,
  Bytes,
  DateTime,
  Decimal,
  Default,
  defineModel,
  Int64,
  Json,
  ModelAccessor,
  openStorage,
  Ref,
  type Storage,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import Database from 'better-sqlite3'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'

const Person = defineModel(
  'people',
  {
    name: Type.String(),
    role: Default(Type.Enum(['guest', 'admin']), 'guest'),
    active: Default(Type.Boolean(), true),
    big: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 18, scale: 3 })),
    at: Type.Optional(DateTime()),
    data: Type.Optional(Json()),
    photo: Type.Optional(Bytes({ maxLength: 1000 })),
    password: Type.Optional(Type.String()),
  },
  { softDelete: true, stamps: true, secret: ['password'], unique: [['name']] },
)
const Pet = defineModel('pets', { name: Type.String(), owner_id: Ref(() => Person) }, { id: 'uuid' })

const makeAccessors = () => ({ people: new ModelAccessor(Person, 'people'), pets: new ModelAccessor(Pet, 'pets') })
const freshFolder = () => mkdtemp(join(tmpdir(), 'strongroom-backup-'))

describeEngines('storage.backup', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const { people, pets } = makeAccessors()
    return { people, pets, storage: await open([people, pets]) }
  }
  /** Opens a backup as a storage of its own. */
  const reopened = async <T>(
    path: string,
    look: (copy: ReturnType<typeof makeAccessors> & { storage: Storage }) => Promise<T>,
  ): Promise<T> => {
    const { people, pets } = makeAccessors()
    const accessors: AnyAccessor[] = [people, pets]
    const storage = await openStorage({ url: `sqlite:${path}`, accessors })
    try {
      return await look({ people, pets, storage })
    } finally {
      await storage.close()
    }
  }

  test('is a SQLite file with every record, secret and audit entry, which opens with the same models', async () => {
    const { people, pets, storage } = await start()
    const ann = await people.insert({
      name: 'Ann "é" 漢\n',
      role: 'admin',
      active: false,
      big: -9223372036854775808n,
      price: '-123456789012345.678',
      at: new Date('0001-01-01T00:00:00.001Z'),
      data: { a: [null, 1.5] },
      photo: new Uint8Array([0, 255]),
      password: 'canary',
    })
    await pets.insert({ name: 'Rex', owner_id: ann.id })
    await people.insert({ name: 'Bob' })
    await people.delete(2)
    await storage.audit.waitUntilSealed()
    const path = join(await freshFolder(), 'backup.sqlite')
    const report = await storage.backup(path)
    expect(report.bytes).toBe((await stat(path)).size)
    await reopened(path, async (copy) => {
      expect(await copy.people.all({ includeDeleted: true })).toEqual(await people.all({ includeDeleted: true }))
      expect(await copy.pets.all()).toEqual(await pets.all())
      expect(await copy.storage.audit.find()).toEqual(await storage.audit.find())
    })
  })

  test('ids that were given away are not given again', async () => {
    const { people, storage } = await start()
    await people.insertMany([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    await people.purge(3)
    const path = join(await freshFolder(), 'backup.sqlite')
    await storage.backup(path)
    await reopened(path, async (copy) => {
      expect((await copy.people.insert({ name: 'd' })).id).toBe(4)
    })
  })

  test('passes the checks of SQLite itself, is ours by its application id, and for its owner alone', async () => {
    const { people, storage } = await start()
    await people.insert({ name: 'a' })
    const folder = await freshFolder()
    const path = join(folder, 'backup.sqlite')
    await storage.backup(path)
    const file = new Database(path, { readonly: true })
    expect(file.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(file.pragma('foreign_key_check')).toEqual([])
    expect(file.pragma('application_id', { simple: true })).toBe(0x5352524d)
    file.close()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['backup.sqlite'])
  })

  test('is for its owner alone while it is made, too', async () => {
    const { people, storage } = await start()
    await people.insert({ name: 'a' })
    const folder = await freshFolder()
    const modes: number[] = []
    const onReady = (): void => {
      for (const name of readdirSync(folder)) modes.push(statSync(join(folder, name)).mode & 0o777)
    }
    await storage.backup(join(folder, 'backup.sqlite'), { onReady })
    expect(modes).toEqual([0o600])
  })

  test('holds every write that was acknowledged before it began, and whole units alone', async () => {
    const { people, pets, storage } = await start()
    let acknowledged = 0
    let writing = true
    const writer = (async () => {
      for (let round = 0; writing && round < 5_000; round++) {
        await storage.transaction(async () => {
          const owner = await people.insert({ name: `p${round}` })
          await pets.insert({ name: 'x', owner_id: owner.id })
        })
        acknowledged++
      }
    })()
    const folder = await freshFolder()
    for (let round = 0; round < 3; round++) {
      const before = acknowledged
      const path = join(folder, `${round}.sqlite`)
      await storage.backup(path)
      await reopened(path, async (copy) => {
        const count = await copy.people.count()
        expect(count).toBeGreaterThanOrEqual(before)
        expect([await copy.pets.count(), await copy.storage.audit.count()]).toEqual([count, count * 2])
      })
    }
    writing = false
    await writer
  })

  test('can be streamed', async () => {
    const { people, storage } = await start()
    await people.insert({ name: 'a' })
    const target = new PassThrough()
    const [bytes, report] = await Promise.all([buffer(target), storage.backup(target)])
    expect(bytes.subarray(0, 15).toString()).toBe('SQLite format 3')
    expect(report.bytes).toBe(bytes.length)
  })

  test('a file that is there already is replaced as a whole', async () => {
    const { people, storage } = await start()
    const path = join(await freshFolder(), 'backup.sqlite')
    await storage.backup(path)
    const first = await readFile(path)
    await people.insert({ name: 'a' })
    await storage.backup(path)
    expect(await readFile(path)).not.toEqual(first)
    await reopened(path, async (copy) => expect(await copy.people.count()).toBe(1))
  })

  test('a folder that is not there is named, and nothing is left', async () => {
    const { storage } = await start()
    const folder = await freshFolder()
    const error = await rejectionOf(storage.backup(join(folder, 'none', 'backup.sqlite')))
    expect(error).toMatchObject({ code: 'invalid_options' })
    expect(await readdir(folder)).toEqual([])
  })

  test('is ended by its signal, and nothing is left', async () => {
    const { storage } = await start()
    const folder = await freshFolder()
    const ending = new AbortController()
    const made = rejectionOf(storage.backup(join(folder, 'backup.sqlite'), { signal: ending.signal }))
    ending.abort(new Error('Not wanted any more.'))
    expect(await made).toMatchObject({ message: 'Not wanted any more.' })
    expect(await readdir(folder)).toEqual([])
    const unknown = { pages: 5 } as object
    expect(await rejectionOf(storage.backup(join(folder, 'backup.sqlite'), unknown))).toMatchObject({ code: 'invalid_options' })
  })

  test('a closed storage makes none', async () => {
    const { storage } = await start()
    await storage.close()
    expect(await rejectionOf(storage.backup(join(await freshFolder(), 'x')))).toMatchObject({ code: 'storage_closed' })
  })
})
