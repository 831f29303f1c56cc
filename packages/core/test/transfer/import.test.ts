import { Readable } from 'node:stream'
import { Bytes, DateTime, Decimal, Default, defineModel, Int64, Json, ModelAccessor, PlainDate, ValidationError } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { rejectionOf, storagesOn } from '../support.ts'
import { csv, exported, filesIn, streamed, watchTemporaryFiles } from './import-support.ts'

const Person = defineModel(
  'people',
  {
    name: Type.String(),
    email: Type.Optional(Type.String({ maxLength: 20 })),
    active: Default(Type.Boolean(), true),
    age: Type.Optional(Type.Integer({ minimum: 0 })),
    ratio: Type.Optional(Type.Number()),
    big: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 6, scale: 2 })),
    at: Type.Optional(DateTime()),
    day: Type.Optional(PlainDate()),
    data: Type.Optional(Json()),
    photo: Type.Optional(Bytes()),
    badge: Type.Optional(Type.String()),
    source: Type.Optional(Type.String()),
  },
  { softDelete: true, stamps: true, unique: [['email']], immutable: ['badge'], readOnly: ['source'] },
)
const Vault = defineModel(
  'vaults',
  { label: Type.String(), key: Type.String(), hint: Type.Optional(Type.String()) },
  { secret: ['key', 'hint'] },
)
const Country = defineModel('countries', { name: Type.String() }, { id: { name: 'code', type: 'text' } })

describeEngines('storage.import', (engine) => {
  const open = storagesOn(engine)
  const fileOf = filesIn()
  watchTemporaryFiles()
  const start = async () => {
    const people = new ModelAccessor(Person, 'persons')
    const vaults = new ModelAccessor(Vault, 'vaults')
    const countries = new ModelAccessor(Country, 'countries')
    return { people, vaults, countries, storage: await open([people, vaults, countries]) }
  }

  test('takes a stream of text, and refuses one of other things', async () => {
    const { people, storage } = await start()
    await storage.import({ people: Readable.from(['name\nÄ', 'nne\n']) })
    expect((await people.all()).map(({ name }) => name)).toEqual(['Änne'])
    const refused = await rejectionOf(storage.import({ people: Readable.from([{ name: 'Bob' }]) }))
    expect(refused).toMatchObject({ code: 'invalid_options', message: expect.stringContaining('bytes or text') })
    expect(await people.count()).toBe(1)
  })

  test('inserts the rows of a file, by table or component, and tells how many', async () => {
    const { people, storage } = await start()
    const path = await fileOf('people.csv', 'name,age\nAnn,7\nBob,\n')
    const report = await storage.import({ persons: path })
    expect(report).toEqual({
      applied: true,
      dryRun: false,
      transactionId: (await storage.audit.findOne())?.transaction_id,
      tables: [{ table: 'people', component: 'persons', rows: 2, inserted: 2, updated: 0, unchanged: 0 }],
      skipped: [],
      errors: [],
      errorCount: 0,
    })
    await storage.import({ people: csv('name', 'Eve') })
    expect((await people.all()).map(({ id, name, age, active }) => [id, name, age, active])).toEqual([
      [1, 'Ann', 7, true],
      [2, 'Bob', null, true],
      [3, 'Eve', null, true],
    ])
  })

  test('reads every kind of value, columns in any order, quotes, line breaks and a byte order mark', async () => {
    const { people, storage } = await start()
    const header = '\ufeffage,name,active,ratio,big,price,at,day,data,photo,email'
    const lines = [
      '-0,"a ""b"",\r\nc",YES,1e-7,-9223372036854775808,1.5,2024-01-31T12:00:00+01:00,2024-02-29,"{""a"":[null,""""]}",AP8K,""',
      '1e3,é漢😀,0,.5,5,-0,0001-01-01T00:00:00Z,9999-12-31,null,"",',
    ]
    expect((await storage.import({ people: csv(header, ...lines) })).errors).toEqual([])
    expect(await people.all()).toMatchObject([
      {
        name: 'a "b",\r\nc',
        age: 0,
        active: true,
        ratio: 1e-7,
        big: -9223372036854775808n,
        price: '1.50',
        at: new Date('2024-01-31T11:00:00Z'),
        day: '2024-02-29',
        data: { a: [null, ''] },
        photo: new Uint8Array([0, 255, 10]),
        email: '',
      },
      { name: 'é漢😀', age: 1000, active: false, ratio: 0.5, price: '0.00', data: null, photo: new Uint8Array(), email: null },
    ])
  })

  test('takes ids, stamps, marks of deletion, read-only and immutable fields as they come', async () => {
    const { people, storage } = await start()
    const time = '2020-01-01T00:00:00.000Z'
    await storage.import(
      {
        people: csv(
          'id,name,badge,source,created_at,updated_at,created_by,updated_by,deleted_at',
          `41,Ann,b,s,${time},${time},ann,,`,
          `7,Bob,,,,,,,${time}`,
        ),
      },
      { actor: 'importer' },
    )
    const [bob, ann] = await people.all({ includeDeleted: true })
    const then = new Date(time)
    expect(ann).toMatchObject({
      id: 41,
      badge: 'b',
      source: 's',
      created_at: then,
      updated_at: then,
      created_by: 'ann',
      updated_by: null,
      deleted_at: null,
    })
    expect(bob).toMatchObject({ id: 7, created_by: null, deleted_at: then })
    expect(bob?.created_at.getTime()).toBeGreaterThan(then.getTime())
    expect((await people.insert({ name: 'next' })).id).toBe(42)
  })

  test('is one unit for hooks and log: each record has one entry under the request, afterCommit comes last', async () => {
    const { people, countries, storage } = await start()
    const told: string[] = []
    people.beforeInsert(async ({ record, requestId }) => {
      record.source = `hook ${requestId}`
    })
    people.afterInsert(({ record }) => told.push(`after ${record.name}`))
    people.afterCommit(({ record }) => told.push(`commit ${record.name}`))
    countries.afterInsert(({ record }) => told.push(`after ${record.code}`))
    const source = { people: csv('name', 'Ann', 'Bob'), countries: csv('name,code', 'France,FR') }
    await storage.import(source, { actor: 'admin', requestId: 'r-1' })
    expect(told).toEqual(['after Ann', 'after Bob', 'after FR', 'commit Ann', 'commit Bob'])
    const entries = (await storage.audit.find()).reverse()
    expect(
      entries.map(({ operation, component, record_id, actor, request_id }) => [operation, component, record_id, actor, request_id]),
    ).toEqual([
      ['create', 'persons', 1, 'admin', 'r-1'],
      ['create', 'persons', 2, 'admin', 'r-1'],
      ['create', 'countries', 'FR', 'admin', 'r-1'],
    ])
    expect(new Set(entries.map(({ transaction_id }) => transaction_id)).size).toBe(1)
    expect(entries[0]?.after).toMatchObject({ name: 'Ann', source: 'hook r-1' })
  })

  test('tells each bad row with its line, field and reason, and writes none', async () => {
    const { people, storage } = await start()
    const report = await storage.import({
      people: csv(
        'name,email,age,active,price,at,data,photo,big,day',
        '"two\r\nlines",,,,,,,,,',
        ',,1,true,,,,,,',
        'b,this is a text that is too long,-1,maybe,1.234,yesterday,{,A,9223372036854775808,2023-02-29',
        '',
        'c,,1',
        'd,,1.5,true,,,,,,',
      ),
    })
    expect(report).toMatchObject({ applied: false, errorCount: 13, tables: [{ rows: 5, inserted: 0 }] })
    expect(report.errors.map(({ line, field }) => [line, field])).toEqual([
      [2, 'active'],
      [4, 'name'],
      ...['email', 'age', 'active', 'price', 'at', 'data', 'photo', 'big', 'day'].map((field) => [5, field]),
      [7, ''],
      [8, 'age'],
    ])
    expect(report.errors[1]?.message).toBe('must not be null; an empty text is written ""')
    expect(report.errors[11]).toEqual({ file: 'people', line: 7, field: '', message: 'has 3 cells, and the header has 10' })
    expect(await people.count()).toBe(0)
  })

  test('JSON with a whole number that would become another one is a fault, and one that is written as it came is not', async () => {
    const { people, storage } = await start()
    const faulty = await storage.import({ people: csv('name,active,data', 'a,true,"{""serial"":[12345678901234567890]}"') })
    expect(faulty.errors).toMatchObject([{ line: 2, field: 'data', message: expect.stringContaining('write it as text') }])
    await storage.import({ people: csv('name,active,data', 'a,true,"{""serial"":1152921504606847000}"') })
    expect(await people.findOne()).toMatchObject({ data: { serial: 2 ** 60 } })
  })

  test('tells the first hundred and how many there are', async () => {
    const { storage } = await start()
    const report = await storage.import({ people: csv('name,age', ...Array.from({ length: 250 }, () => 'a,b')) })
    expect([report.errors.length, report.errorCount]).toEqual([100, 250])
  })

  test.each([
    [
      'an unknown column',
      'nmae,age',
      [
        ['nmae', 'is no field of people. Did you mean "name"?'],
        ['name', 'is required, and there is no such column'],
      ],
    ],
    ['the hidden version', 'name,row_version', [['row_version', 'is no field of people.']]],
    ['a column that is there twice', 'name,age,name', [['name', 'is there twice']]],
    ['a column without a name', 'name,', [['', 'column 2 has no name']]],
    ['a required column that is missing', 'age', [['name', 'is required, and there is no such column']]],
    [
      'other separators',
      'name;age',
      [
        ['name;age', expect.stringContaining('Cells are separated by commas.')],
        ['name', 'is required, and there is no such column'],
      ],
    ],
  ])('refuses %s in line 1', async (_what, header, faults) => {
    const { storage } = await start()
    const { errors, applied } = await storage.import({ people: csv(header, 'a,1') })
    expect(applied).toBe(false)
    expect(errors.map(({ line, field, message }) => [line, field, message])).toEqual(faults.map(([field, message]) => [1, field, message]))
  })

  test.each([
    ['an empty file', '', 1, 'has no header: the file is empty'],
    ['a quote that is not closed', 'name\na\n"b\nc\n', 3, 'begins a row with a quote that is not closed'],
    ['a quote inside a cell', 'name\na"b\n', 2, expect.stringContaining('has a quote in the middle of a cell')],
    ['bytes that are no UTF-8', Buffer.from('name\nM\xfcller\n', 'latin1'), 1, expect.stringContaining('UTF-8')],
  ])('refuses %s', async (_what, content, line, message) => {
    const { storage } = await start()
    const { errors } = await storage.import({ people: streamed(content) })
    expect(errors).toEqual([{ file: 'people', line, field: '', message }])
  })

  test('keys that are taken are rows with faults, in the file and in the database, and nothing is written', async () => {
    const { people, countries, storage } = await start()
    await people.insert({ name: 'Ann', email: 'ann@x' })
    const told: string[] = []
    people.afterCommit(({ record }) => told.push(record.name))
    const rows = ['1,x,x@x', '2,y,ann@x', '3,z,z@x', '4,w,z@x', '3,v,']
    const report = await storage.import({ countries: csv('code,name', 'FR,France'), people: csv('id,name,email', ...rows) })
    expect(report).toMatchObject({ applied: false, errorCount: 4 })
    expect(report.errors.map(({ file, line, field }) => [file, line, field])).toEqual([
      ['people', 2, 'id'],
      ['people', 3, 'email'],
      ['people', 5, 'email'],
      ['people', 6, 'id'],
    ])
    expect([await people.count(), await countries.count(), await storage.audit.count(), told]).toEqual([1, 0, 1, []])
  })

  test('the key of a deleted record can be used again', async () => {
    const { people, storage } = await start()
    const report = await storage.import({
      people: csv('name,email,deleted_at', 'a,a@x,2024-01-01T00:00:00Z', 'b,a@x,2024-01-01T00:00:00Z', 'c,a@x,'),
    })
    expect(report.applied).toBe(true)
    expect(await people.count()).toBe(1)
  })

  test('a hook that refuses a record makes a fault of its row; any other throw ends the import', async () => {
    const { people, storage } = await start()
    people.beforeInsert(({ record }) => {
      if (record.name === 'bad') throw new ValidationError([{ path: 'name', message: 'is not wanted' }])
      if (record.name === 'worse') throw new Error('a mistake')
    })
    const { errors } = await storage.import({ people: csv('name', 'a', 'bad', 'b') })
    expect(errors).toEqual([{ file: 'people', line: 3, field: 'name', message: 'is not wanted' }])
    expect(await rejectionOf(storage.import({ people: csv('name', 'a', 'worse') }))).toMatchObject({ message: 'a mistake' })
    expect(await people.count()).toBe(0)
  })

  test('record limits hold', async () => {
    const { people, storage } = await start()
    people.limitRecords(2)
    expect(await rejectionOf(storage.import({ people: csv('name', 'a', 'b', 'c') }))).toMatchObject({ code: 'record_limit' })
    expect((await storage.import({ people: csv('name,deleted_at', 'a,', 'b,', 'c,2024-01-01T00:00:00Z') })).applied).toBe(true)
    const restoring = csv('id,deleted_at', `${(await people.all({ includeDeleted: true })).find(({ name }) => name === 'c')?.id},`)
    expect(await rejectionOf(storage.import({ people: restoring }, { mode: 'upsert' }))).toMatchObject({ code: 'record_limit' })
  })

  test('an upsert inserts, changes what differs, and leaves the rest without an entry', async () => {
    const { people, storage } = await start()
    await people.insertMany([{ name: 'Ann', email: 'ann@x' }, { name: 'Bob' }, { name: 'Eve' }])
    const hooked: string[] = []
    people.beforeUpdate(({ record, previous }) => hooked.push(`${previous?.name} → ${record.name}`))
    const report = await storage.import({ people: csv('id,name', '1,Ann', '2,Bert', '9,Zoe', ',Max') }, { mode: 'upsert', actor: 'admin' })
    expect(report.tables).toEqual([{ table: 'people', component: 'persons', rows: 4, inserted: 2, updated: 1, unchanged: 1 }])
    expect((await people.all()).map(({ id, name, email, updated_by }) => [id, name, email, updated_by])).toEqual([
      [1, 'Ann', 'ann@x', 'internal'],
      [2, 'Bert', null, 'admin'],
      [3, 'Eve', null, 'internal'],
      [9, 'Zoe', null, 'admin'],
      [10, 'Max', null, 'admin'],
    ])
    const entries = (await storage.audit.find({ actor: 'admin' })).reverse()
    expect(entries.map(({ operation, record_id, before }) => [operation, record_id, before?.['name']])).toEqual([
      ['update', 2, 'Bob'],
      ['create', 9, undefined],
      ['create', 10, undefined],
    ])
    expect(hooked).toEqual(['Ann → Ann', 'Bob → Bert'])
  })

  test('an upsert brings a database back to what it was exported as', async () => {
    const { people, storage } = await start()
    await people.insertMany([{ name: 'Ann', badge: 'b' }, { name: 'Bob' }, { name: 'Eve' }])
    await people.delete(3)
    const before = await people.all({ includeDeleted: true })
    const zip = await exported(storage)
    await people.update(1, { name: 'Anna' }, { actor: 'somebody' })
    await people.delete(2)
    await people.restore(3)
    const report = await storage.import(streamed(zip), { mode: 'upsert', actor: 'admin' })
    expect(report.tables[0]).toMatchObject({ inserted: 0, updated: 3, unchanged: 0 })
    expect(await people.all({ includeDeleted: true })).toEqual(before)
  })

  test('of rows with one id an upsert keeps the last', async () => {
    const { people, storage } = await start()
    await people.insert({ name: 'Ann' })
    const { tables } = await storage.import({ people: csv('id,name', '1,a', '1,b', '5,c', '5,d') }, { mode: 'upsert' })
    expect(tables[0]).toMatchObject({ inserted: 1, updated: 3 })
    expect((await people.all()).map(({ id, name }) => [id, name])).toEqual([
      [1, 'b'],
      [5, 'd'],
    ])
    expect((await storage.audit.find()).reverse().map(({ before, after }) => [before?.['name'], after?.['name']])).toEqual([
      [undefined, 'Ann'],
      ['Ann', 'a'],
      ['a', 'b'],
      [undefined, 'c'],
      ['c', 'd'],
    ])
  })

  test('an upsert of a deleted record has to say what its mark shall be', async () => {
    const { people, storage } = await start()
    await people.insert({ name: 'Ann' })
    await people.delete(1)
    const { errors } = await storage.import({ people: csv('id,name', '1,x') }, { mode: 'upsert' })
    expect(errors).toMatchObject([{ line: 2, message: expect.stringContaining('is deleted') }])
    expect((await storage.import({ people: csv('id,name,deleted_at', '1,x,') }, { mode: 'upsert' })).applied).toBe(true)
    expect(await people.get(1)).toMatchObject({ name: 'x', deleted_at: null })
  })

  test('a new record of an upsert needs what its file has no column for', async () => {
    const { countries, storage } = await start()
    const report = await storage.import({ people: csv('id,age', '7,1') }, { mode: 'upsert' })
    expect(report.errors).toEqual([{ file: 'people', line: 2, field: 'name', message: 'is required' }])
    expect((await storage.import({ countries: csv('name', 'France') }, { mode: 'upsert' })).errors).toMatchObject([
      { line: 1, field: 'code' },
    ])
    expect(await countries.count()).toBe(0)
  })

  test('a masked secret is a fault where it is required, null where it is optional, and stays in an upsert', async () => {
    const { vaults, storage } = await start()
    await vaults.insertMany([
      { label: 'a', key: 'canary-k', hint: 'canary-h' },
      { label: 'b', key: 'canary-2' },
    ])
    const masked = await exported(storage, {})
    const other = await start()
    const { errors } = await other.storage.import(streamed(masked))
    expect(errors.map(({ line, field }) => [line, field])).toEqual([
      [2, 'key'],
      [3, 'key'],
    ])
    const optional = await other.storage.import({ vaults: csv('label,key,hint', 'c,open,[secret]') })
    expect([optional.applied, (await other.vaults.all()).map(({ hint }) => hint)]).toEqual([true, [null]])
    const report = await storage.import(
      { vaults: csv('id,label,key,hint', '1,changed,[secret],[secret]', '2,b,canary-3,') },
      { mode: 'upsert' },
    )
    expect(report.tables[0]).toMatchObject({ updated: 2 })
    expect(await vaults.all()).toEqual([
      { id: 1, label: 'changed', key: 'canary-k', hint: 'canary-h' },
      { id: 2, label: 'b', key: 'canary-3', hint: null },
    ])
    const entries = JSON.stringify([await storage.audit.find(), await other.storage.audit.find(), errors, optional, report])
    expect(entries).not.toContain('canary')
  })

  test('with the secrets in the export, a secret that looks like the mask is one', async () => {
    const { vaults, storage } = await start()
    await vaults.insert({ label: 'a', key: '[secret]', hint: '[secret]' })
    const zip = await exported(storage)
    const other = await start()
    expect((await other.storage.import(streamed(zip))).applied).toBe(true)
    expect(await other.vaults.all()).toEqual(await vaults.all())
  })

  test('a dry run does everything, and leaves nothing', async () => {
    const { people, storage } = await start()
    const told: string[] = []
    people.afterInsert(({ record }) => told.push(record.name))
    people.afterCommit(() => told.push('commit'))
    const report = await storage.import({ people: csv('name', 'a') }, { dryRun: true })
    expect(report).toMatchObject({ applied: false, dryRun: true, errorCount: 0, tables: [{ inserted: 1 }] })
    expect((await storage.import({ people: csv('name,email', 'a,e', 'b,e') }, { dryRun: true })).errors).toMatchObject([
      { line: 3, field: 'email' },
    ])
    expect([await people.count(), await storage.audit.count(), told.includes('commit'), told[0]]).toEqual([0, 0, false, 'a'])
  })

  test('tells how far it is', async () => {
    const { storage } = await start()
    const heard: string[] = []
    await storage.import(
      { people: csv('name', ...Array.from({ length: 600 }, (_, index) => `p${index}`)) },
      { onProgress: ({ phase, rows }) => heard.push(`${phase} ${rows}`) },
    )
    expect(heard).toEqual(expect.arrayContaining(['reading 600', 'writing 256', 'writing 512', 'writing 600']))
    expect(heard.at(-1)).toBe('writing 600')
  })

  test('misuse is refused with a sentence', async () => {
    const { people, storage } = await start()
    const source = () => ({ people: csv('name', 'a') })
    // Options and sources as a program without types could give them.
    const misuse = async (given: unknown, options: object = {}) => rejectionOf(storage.import(given as never, options as never))
    expect(await misuse(source(), { dryrun: true })).toMatchObject({
      code: 'invalid_options',
      message: expect.stringContaining('"dryrun" is no option'),
    })
    expect(await misuse(source(), { mode: 'replace' })).toMatchObject({ code: 'invalid_query' })
    expect(await misuse(undefined)).toMatchObject({ code: 'invalid_options' })
    expect(await misuse({})).toMatchObject({ code: 'invalid_options' })
    expect(await misuse({ user: csv('name') })).toMatchObject({
      code: 'invalid_query',
      message: expect.stringContaining('There is no table "user"'),
    })
    expect(await misuse({ people: csv('name', 'a'), persons: csv('name', 'b') })).toMatchObject({ code: 'invalid_options' })
    expect(await misuse({ people: '/nowhere/people.csv' })).toMatchObject({ code: 'invalid_options' })
    expect(await misuse('/nowhere/export.zip')).toMatchObject({ code: 'invalid_options' })
    const inside = storage.transaction(() => storage.import(source()))
    expect(await rejectionOf(inside)).toMatchObject({ code: 'outer_handle' })
    expect(await people.count()).toBe(0)
  })

  test('the audit log is exported for reading, and refused by itself', async () => {
    const { storage } = await start()
    const refusal = await rejectionOf(storage.import({ strongroom_audit_log: csv('id') }))
    expect(refusal).toMatchObject({ code: 'validation_failed', message: expect.stringContaining('exported for reading') })
    const zip = await exported(storage)
    expect((await storage.import(streamed(zip))).skipped).toEqual([
      { file: 'strongroom_audit_log.csv', table: 'strongroom_audit_log', reason: 'is a table of the library, exported for reading' },
    ])
  })
})
