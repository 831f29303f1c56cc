import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  Bytes,
  DateTime,
  Decimal,
  defineModel,
  type ExportOptions,
  Int64,
  Json,
  ModelAccessor,
  PlainDate,
  Ref,
  type Storage,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { sql } from 'kysely'
import { Type } from 'typebox'
import { expect, test, vi } from 'vitest'
import { gate, rejectionOf, storagesOn } from '../support.ts'
import { filesOf, rowsOf } from './zip-files.ts'

const Person = defineModel(
  'people',
  {
    name: Type.String(),
    note: Type.Optional(Type.String()),
    flag: Type.Optional(Type.Boolean()),
    ratio: Type.Optional(Type.Number()),
    count: Type.Optional(Type.Integer()),
    big: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 18, scale: 3 })),
    at: Type.Optional(DateTime()),
    day: Type.Optional(PlainDate()),
    data: Type.Optional(Json()),
    photo: Type.Optional(Bytes({ maxLength: 1000 })),
    password: Type.Optional(Type.String()),
  },
  { softDelete: true, secret: ['password'] },
)
const Note = defineModel('notes', { text: Type.String() })
const Pet = defineModel('pets', { name: Type.String(), owner_id: Ref(() => Person) }, { id: 'uuid' })

const hostile = [
  '',
  ' ',
  'a,b',
  '"',
  '""',
  'line\nbreak',
  'carriage\rreturn',
  '\r\n',
  "=cmd|' /C calc'!A0",
  '-1',
  '+1',
  '@x',
  '\t',
  '[secret]',
  'é 漢 😀',
  '\ufeffbom',
  '<svg onload=1>',
  ',',
  "'",
  '\\',
  'null',
  'NULL',
  ';',
]

/** What an export holds, as a download would get it. */
async function exported(storage: Storage, options?: ExportOptions) {
  const target = new PassThrough()
  const [zip, manifest] = await Promise.all([buffer(target), storage.export(target, options)])
  const files = await filesOf(zip)
  return { files, manifest, rows: (file: string) => rowsOf(files.get(file)) }
}

describeEngines('storage.export', (engine) => {
  const open = storagesOn(engine)
  const start = async () => {
    const people = new ModelAccessor(Person, 'persons')
    const pets = new ModelAccessor(Pet, 'pets')
    return { people, pets, storage: await open([people, pets]) }
  }

  test('writes hostile texts exactly, and tells null from the empty text', async () => {
    const { people, storage } = await start()
    await people.insertMany([...hostile.map((name) => ({ name, note: name })), { name: 'nothing' }])
    const { rows } = await exported(storage)
    expect(rows('people.csv').map(({ name, note }) => [name, note])).toEqual([...hostile.map((name) => [name, name]), ['nothing', null]])
  })

  test('writes every kind of value as JSON has it', async () => {
    const { people, storage } = await start()
    await people.insert({
      name: 'all',
      flag: false,
      ratio: 1e-7,
      count: -9007199254740991,
      big: -9223372036854775808n,
      price: '-123456789012345.678',
      at: new Date('0001-01-01T00:00:00.001Z'),
      day: '9999-12-31',
      data: { b: [null, 'x,"\n'], a: '' },
      photo: new Uint8Array([0, 255, 10]),
    })
    await people.delete(1)
    const [row] = (await exported(storage)).rows('people.csv')
    expect(row).toMatchObject({
      id: '1',
      flag: 'false',
      ratio: '1e-7',
      count: '-9007199254740991',
      big: '-9223372036854775808',
      price: '-123456789012345.678',
      at: '0001-01-01T00:00:00.001Z',
      day: '9999-12-31',
      photo: 'AP8K',
      note: null,
      deleted_at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
    expect(JSON.parse(row?.['data'] ?? '')).toEqual({ b: [null, 'x,"\n'], a: '' })
  })

  test('has a manifest with rows, columns and a checksum of each file', async () => {
    const { people, pets, storage } = await start()
    const owner = await people.insert({ name: 'Ann' })
    await pets.insertMany([
      { name: 'Rex', owner_id: owner.id },
      { name: 'Tom', owner_id: owner.id },
    ])
    const { files, manifest } = await exported(storage)
    expect([...files.keys()]).toEqual(['people.csv', 'pets.csv', 'strongroom_audit_log.csv', 'manifest.json'])
    expect(JSON.parse(String(files.get('manifest.json')))).toEqual(manifest)
    expect(manifest.files.map(({ file, component, rows }) => [file, component, rows])).toEqual([
      ['people.csv', 'persons', 1],
      ['pets.csv', 'pets', 2],
      ['strongroom_audit_log.csv', null, 3],
    ])
    for (const { file, sha256, bytes } of manifest.files) {
      const content = files.get(file) ?? Buffer.alloc(0)
      expect([createHash('sha256').update(content).digest('hex'), content.length]).toEqual([sha256, bytes])
    }
    expect(manifest.files[1]?.columns).toEqual([
      { name: 'id', type: 'uuid', nullable: false, key: true },
      { name: 'name', type: 'text', nullable: false },
      { name: 'owner_id', type: 'integer', nullable: false, references: { table: 'people', column: 'id' } },
    ])
  })

  test('ends also where another program has written ids that no number holds, and has each of them', async () => {
    const notes = new ModelAccessor(Note, 'notes')
    const storage = await open([notes])
    const ids = ['1', '9007199254740993', '9007199254740995', '9007199254740996', '9007199254740997']
    await storage.transaction(
      async ({ kysely }) => {
        for (const id of ids) await sql`insert into notes (id, text, row_version) values (${sql.raw(id)}, 'x', ${id})`.execute(kysely)
      },
      { unaudited: true },
    )
    const { rows } = await exported(storage, { tables: ['notes'] })
    expect(rows('notes.csv').map(({ id }) => id)).toEqual(ids)
  })

  test('an empty table is its header', async () => {
    const { storage } = await start()
    const { files } = await exported(storage, { tables: ['pets'] })
    expect(String(files.get('pets.csv'))).toBe('id,name,owner_id\r\n')
  })

  test('secrets are marks, unless they are asked for', async () => {
    const { people, storage } = await start()
    await people.insertMany([{ name: 'a', password: 'canary-7' }, { name: 'b' }])
    const masked = await exported(storage)
    expect(masked.rows('people.csv').map(({ password }) => password)).toEqual(['[secret]', '[secret]'])
    for (const content of masked.files.values()) expect(String(content)).not.toContain('canary-7')
    const whole = await exported(storage, { secrets: 'include' })
    expect(whole.manifest.secrets).toBe('include')
    expect(whole.rows('people.csv').map(({ password }) => password)).toEqual(['canary-7', null])
  })

  test('for a spreadsheet, no text is a formula, and numbers stay numbers', async () => {
    const { people, storage } = await start()
    await people.insertMany(hostile.map((name) => ({ name, count: -1, price: '-1.500', big: -5n })))
    const rows = (await exported(storage, { spreadsheet: true })).rows('people.csv')
    for (const { name } of rows) expect(name ?? '').not.toMatch(/^[=+\-@\t\r]/)
    expect(rows[0]).toMatchObject({ count: '-1', price: '-1.5', big: '-5' })
  })

  test('writes the tables that are asked for, by table or component', async () => {
    const { storage } = await start()
    expect([...(await exported(storage, { tables: ['persons', 'pets'] })).files.keys()]).toEqual([
      'people.csv',
      'pets.csv',
      'manifest.json',
    ])
    for (const tables of [['nobody'], []]) {
      expect(await rejectionOf(storage.export(new PassThrough(), { tables }))).toMatchObject({ code: 'invalid_query' })
    }
  })

  test('is one moment of the database, whatever is written meanwhile', async () => {
    const { people, pets, storage } = await start()
    const pair = () =>
      storage.transaction(async () => {
        const owner = await people.insert({ name: 'x'.repeat(500) })
        await pets.insert({ name: 'y', owner_id: owner.id })
      })
    for (let round = 0; round < 50; round++) await pair()
    let writing = true
    const writer = (async () => {
      for (let round = 0; writing && round < 2_000; round++) await pair()
    })()
    for (let round = 0; round < 3; round++) {
      const { manifest } = await exported(storage)
      const [persons, animals, entries] = manifest.files.map(({ rows }) => rows)
      expect(animals).toBe(persons)
      expect(entries).toBe((persons ?? 0) * 2)
    }
    writing = false
    await writer
  })

  test('a file is there as a whole, for its owner alone, or not at all', async () => {
    const { people, storage } = await start()
    await people.insert({ name: 'a' })
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-export-'))
    const path = join(folder, 'export.zip')
    await storage.export(path)
    expect((await filesOf(await readFile(path))).has('people.csv')).toBe(true)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await rejectionOf(storage.export(join(folder, 'nowhere', 'export.zip')))).toMatchObject({ code: 'invalid_options' })
    expect(await readdir(folder)).toEqual(['export.zip'])
  })

  test('who goes away ends it, and the storage works on', async () => {
    const { people, storage } = await start()
    await people.insertMany(Array.from({ length: 3_000 }, () => ({ name: 'x'.repeat(300) })))
    const impatient = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, callback) => callback(new Error('went away')),
    })
    expect(await rejectionOf(storage.export(impatient))).toMatchObject({ message: 'went away' })
    expect(await people.count()).toBe(3_000)
  })

  test('who takes nothing of it keeps no log from ending', async () => {
    const { people, storage } = await start()
    await people.insertMany(Array.from({ length: 300 }, () => ({ name: 'x'.repeat(3_000) })))
    const begun = gate()
    const ending = new AbortController()
    const stuck = new Writable({ highWaterMark: 1, write: () => begun.open() })
    const outcome = rejectionOf(storage.export(stuck, { signal: ending.signal }))
    await begun.opened
    const write = () => people.insertMany(Array.from({ length: 300 }, () => ({ name: 'y'.repeat(3_000) })))
    for (let number = 0; number < 20; number++) await write()
    // What is written next stands where the first stood: a log that somebody reads could only become longer.
    await vi.waitFor(async () => {
      const { walBytes } = await storage.health()
      await write()
      expect((await storage.health()).walBytes).toBe(walBytes)
    }, 20_000)
    ending.abort(new Error('not wanted any more'))
    expect(await outcome).toMatchObject({ message: 'not wanted any more' })
  })

  test('is ended by its signal, and nothing is left', async () => {
    const { storage } = await start()
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-export-'))
    const reason = new Error('not wanted any more')
    for (const target of [join(folder, 'export.zip'), new PassThrough()]) {
      const ending = new AbortController()
      const made = rejectionOf(storage.export(target, { signal: ending.signal }))
      ending.abort(reason)
      expect(await made).toBe(reason)
    }
    expect(await readdir(folder)).toEqual([])
    const late = { signal: AbortSignal.abort(reason) }
    expect(await rejectionOf(storage.export(new PassThrough(), late))).toBe(reason)
    expect(await rejectionOf(storage.export(new PassThrough(), { ...late, tables: ['none'] }))).toMatchObject({ code: 'invalid_query' })
  })

  test('closing the storage ends it', async () => {
    const { people, storage } = await start()
    await people.insertMany(Array.from({ length: 3_000 }, () => ({ name: 'x'.repeat(300) })))
    const stuck = new Writable({ highWaterMark: 1, write: () => undefined })
    const outcome = rejectionOf(storage.export(stuck))
    await storage.close()
    expect(await outcome).toMatchObject({ code: 'storage_closed' })
    expect(await rejectionOf(storage.export(new PassThrough()))).toMatchObject({ code: 'storage_closed' })
  })
})
