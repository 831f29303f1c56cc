import {
  type AuditEntry,
  ConflictError,
  DateTime,
  Decimal,
  Default,
  defineModel,
  Json,
  ModelAccessor,
  NotFoundError,
  openStorage,
  Ref,
  type Storage,
  ValidationError,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { rejectionOf, storagesOn } from './support.ts'

const User = defineModel(
  'users',
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    email: Type.String({ format: 'email' }),
    role: Default(Type.Enum(['operator', 'admin']), 'operator'),
    phone: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    tags: Type.Optional(Json()),
    rate: Type.Optional(Decimal({ precision: 6, scale: 2 })),
    seen: Type.Optional(DateTime()),
  },
  { softDelete: true, stamps: true, unique: [['email'], ['rate']], readOnly: ['seen'], immutable: ['code'] },
)
const Plain = defineModel('plains', { name: Type.String() })
const Keyed = defineModel('keyed', { name: Type.Optional(Type.String()) }, { id: 'uuid' })
const Country = defineModel('countries', { name: Type.Optional(Type.String()) }, { id: { name: 'code', type: 'text' } })
const Note = defineModel(
  'notes',
  { text: Type.String() },
  {
    stamps: {
      createdAt: 'date_added',
      updatedAt: 'date_updated',
      createdBy: { name: 'added_by', field: Ref(() => User) },
      updatedBy: 'changed_by',
    },
  },
)

describeEngines('writes', (engine) => {
  const open = storagesOn(engine)
  let users: ModelAccessor<typeof User>
  let plains: ModelAccessor<typeof Plain>
  let keyed: ModelAccessor<typeof Keyed>
  let countries: ModelAccessor<typeof Country>
  let notes: ModelAccessor<typeof Note>
  let storage: Storage

  beforeEach(async () => {
    users = new ModelAccessor(User, 'users')
    plains = new ModelAccessor(Plain, 'plains')
    keyed = new ModelAccessor(Keyed, 'keyed')
    countries = new ModelAccessor(Country, 'countries')
    notes = new ModelAccessor(Note, 'notes')
    storage = await open([users, plains, keyed, countries, notes])
  })

  const alice = { name: 'Alice', email: 'a@example.com' }
  const entries = async (): Promise<[string, unknown, string][]> =>
    (await storage.audit.find()).reverse().map((entry: AuditEntry) => [entry.operation, entry.record_id, entry.actor])

  test('a promise is no record and no patch: nothing would be written, and its failure be nobody’s', async () => {
    await users.insert(alice)
    const late = async () => ({ name: 'Late' })
    const failing = async () => {
      throw new Error('nobody hears this')
    }
    for (const write of [
      () => users.insert(late() as never),
      () => users.insertMany([late()] as never),
      () => users.save(late() as never),
      () => users.update(1, late() as never),
      () => users.update(1, late as never),
      () => users.update(1, failing as never),
      () => users.updateMany({}, late as never),
      () => users.replace(1, late as never),
      () => users.upsertMany([late()] as never, { on: ['email'] }),
    ])
      expect(await rejectionOf(write())).toMatchObject({ code: 'validation_failed', message: expect.stringContaining('await it first') })
    expect(await entries()).toHaveLength(1)
  })

  describe('insert', () => {
    test('answers the stored record: defaults, null, id and stamps filled in', async () => {
      const row = await users.insert(alice, { actor: 'admin' })
      expect(row).toStrictEqual({
        id: 1,
        ...alice,
        role: 'operator',
        phone: null,
        code: null,
        tags: null,
        rate: null,
        seen: null,
        created_at: expect.any(Date),
        updated_at: row.created_at,
        created_by: 'admin',
        updated_by: 'admin',
        deleted_at: null,
      })
      expect(await users.get(row.id)).toStrictEqual(row)
      expect(await entries()).toEqual([['create', 1, 'admin']])
    })

    test('the actor is internal when nobody says', async () => {
      expect(await users.insert(alice)).toMatchObject({ created_by: 'internal' })
    })

    test('takes an id in code, and counts on from the highest', async () => {
      expect(await plains.insert({ id: 5, name: 'five' } as never)).toMatchObject({ id: 5 })
      expect(await plains.insert({ name: 'next' })).toMatchObject({ id: 6 })
      expect(await plains.insert({ id: 2, name: 'two' } as never)).toMatchObject({ id: 2 })
      expect(await plains.insert({ name: 'next' })).toMatchObject({ id: 7 })
    })

    test('has no id left after the highest one, and says so', async () => {
      expect(await plains.insert({ id: Number.MAX_SAFE_INTEGER, name: 'last' } as never)).toMatchObject({ id: Number.MAX_SAFE_INTEGER })
      for (const write of [() => plains.insert({ name: 'x' }), () => plains.insertMany([{ name: 'x' }, { name: 'y' }])])
        expect(await rejectionOf(write())).toMatchObject({ code: 'state_conflict', status: 409 })
      expect(await plains.all()).toEqual([{ id: Number.MAX_SAFE_INTEGER, name: 'last' }])
    })

    test('makes uuids that sort as they were made, and keeps text ids as given', async () => {
      const rows = await keyed.insertMany([{}, {}, {}])
      expect(rows.map((row) => row.id)).toEqual(rows.map((row) => row.id).toSorted())
      expect(rows[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
      expect(await countries.insert({ code: 'DE' })).toEqual({ code: 'DE', name: null })
      expect(await rejectionOf(countries.insert({} as never))).toMatchObject({ issues: [{ path: 'code', message: 'is required' }] })
    })

    test.each<[string, object, string[]]>([
      ['nothing', {}, ['name', 'email']],
      ['null for a field that takes none', { ...alice, name: null }, ['name']],
      ['a wrong type', { ...alice, name: 7 }, ['name']],
      ['too short', { ...alice, name: '' }, ['name']],
      ['no address', { ...alice, email: 'alice' }, ['email']],
      ['a role that there is not', { ...alice, role: 'root' }, ['role']],
      ['null for a default', { ...alice, role: null }, ['role']],
      ['an unknown field', { ...alice, nme: 'x' }, ['nme']],
      ['the hidden row version', { ...alice, row_version: 'x' }, ['row_version']],
      ['a stamp', { ...alice, created_at: new Date(), updated_by: 'me' }, ['created_at', 'updated_by']],
      ['deleted_at', { ...alice, deleted_at: new Date() }, ['deleted_at']],
      ['an id of the wrong shape', { ...alice, id: '7' }, ['id']],
      ['an id that nothing counts', { ...alice, id: 0 }, ['id']],
    ])('refuses %s by name', async (_name, record, paths) => {
      const error = await rejectionOf(users.insert(record as never))
      expect(error).toBeInstanceOf(ValidationError)
      expect((error as ValidationError).issues.map((issue) => issue.path)).toEqual(paths)
      expect(await entries()).toEqual([])
    })

    test.each([[null], [[]], ['x'], [7], [undefined]])('refuses %s for a record', async (record) => {
      expect(await rejectionOf(users.insert(record as never))).toBeInstanceOf(ValidationError)
    })

    test('fields that a request may not set are set by code', async () => {
      const seen = new Date(0)
      expect(await users.insert({ ...alice, seen, code: 'x' })).toMatchObject({ seen, code: 'x' })
    })

    test('makes a default anew for each record', async () => {
      let made = 0
      const Ticket = defineModel('tickets', { number: Default(Type.Integer(), () => ++made), labels: Default(Json(), { list: [] }) })
      const tickets = new ModelAccessor(Ticket, 'tickets')
      await open([tickets])
      const rows = await tickets.insertMany([{}, {}])
      expect(rows.map((row) => row.number)).toEqual([1, 2])
      expect(rows[0]?.labels).not.toBe(rows[1]?.labels)
    })
  })

  describe('insertMany', () => {
    test('answers the records in the order given, with an entry for each', async () => {
      const rows = await plains.insertMany(Array.from({ length: 700 }, (_, index) => ({ name: `n${index}` })))
      expect(rows.map((row) => row.name)).toEqual(Array.from({ length: 700 }, (_, index) => `n${index}`))
      expect(new Set(rows.map((row) => row.id)).size).toBe(700)
      expect(await plains.all()).toStrictEqual(rows.toSorted((a, b) => a.id - b.id))
      expect(await storage.audit.count({ operation: 'create' })).toBe(700)
    })

    test('takes records with and without ids together', async () => {
      const rows = await plains.insertMany([{ name: 'a' }, { id: 9, name: 'b' }, { name: 'c' }])
      expect(rows[1]).toEqual({ id: 9, name: 'b' })
      expect(await plains.count()).toBe(3)
      expect(new Set(rows.map((row) => row.id)).size).toBe(3)
      expect((await plains.insert({ name: 'd' })).id).toBeGreaterThan(9)
    })

    test('is all or none, and says which record is wrong', async () => {
      const error = await rejectionOf(plains.insertMany([{ name: 'a' }, { name: 7 as never }, {} as never]))
      expect(error).toMatchObject({ issues: [{ path: '1.name' }, { path: '2.name', message: 'is required' }] })
      expect([await plains.count(), await entries()]).toEqual([0, []])
    })

    test('of nothing is nothing', async () => {
      expect(await plains.insertMany([])).toEqual([])
    })
  })

  describe('update', () => {
    test('changes the given fields and keeps the rest', async () => {
      const row = await users.insert({ ...alice, phone: '1' }, { actor: 'ann' })
      const changed = await users.update(row.id, { name: 'Al', phone: null }, { actor: 'bob' })
      expect(changed).toStrictEqual({ ...row, name: 'Al', phone: null, updated_at: changed.updated_at, updated_by: 'bob' })
      expect(changed.updated_at.getTime()).toBeGreaterThanOrEqual(row.updated_at.getTime())
      expect(await users.get(row.id)).toStrictEqual(changed)
      expect(await entries()).toEqual([
        ['create', 1, 'ann'],
        ['update', 1, 'bob'],
      ])
    })

    test('that changes nothing writes nothing', async () => {
      const row = await users.insert({ ...alice, tags: { a: [1] }, rate: '1.5' }, { actor: 'ann' })
      for (const patch of [{}, { name: 'Alice' }, { tags: { a: [1] } }, { rate: '1.50' }, { rate: '1.5' }, { name: undefined }]) {
        expect(await users.update(row.id, patch as never, { actor: 'bob' })).toStrictEqual(row)
      }
      expect(await users.get(row.id)).toStrictEqual(row)
      expect(await entries()).toHaveLength(1)
    })

    test('of a whole record as it was read changes nothing', async () => {
      const row = await users.insert(alice)
      expect(await users.update(row.id, row as never)).toStrictEqual(row)
      expect(await entries()).toHaveLength(1)
    })

    test.each<[string, object, string]>([
      ['another id', { id: 2 }, 'id'],
      ['a stamp', { created_by: 'x' }, 'created_by'],
      ['deleted_at', { deleted_at: new Date() }, 'deleted_at'],
      ['an immutable field', { code: 'other' }, 'code'],
      ['an unknown field', { nme: 'x' }, 'nme'],
      ['null where none may be', { role: null }, 'role'],
      ['a value that does not fit', { email: 'x' }, 'email'],
    ])('refuses %s', async (_name, patch, path) => {
      const row = await users.insert({ ...alice, code: 'x' })
      expect(await rejectionOf(users.update(row.id, patch as never))).toMatchObject({ code: 'validation_failed', issues: [{ path }] })
      expect(await users.get(row.id)).toStrictEqual(row)
    })

    test('does not judge again what was accepted by an earlier model and stays, and judges what is new', async () => {
      const url = await engine.freshUrl()
      const fields = { text: Type.String(), note: Type.Optional(Type.String()) }
      const lenient = new ModelAccessor(defineModel('texts', fields, { softDelete: true }), 'texts')
      const before = await openStorage({ url, accessors: [lenient] })
      await lenient.insertMany([{ text: 'far too long' }, { text: 'short' }])
      await before.close()
      const Strict = defineModel('texts', { ...fields, text: Type.String({ maxLength: 5 }) }, { softDelete: true })
      const [strict, watched] = [new ModelAccessor(Strict, 'texts'), new ModelAccessor(Strict, 'texts')]
      watched.beforeUpdate(() => undefined)
      for (const texts of [strict, watched]) {
        const storage = await openStorage({ url, accessors: [texts] })
        const note = texts === strict ? 'a' : 'b'
        expect(await texts.update(1, { note })).toMatchObject({ text: 'far too long', note })
        expect(await texts.update(1, { text: 'far too long', note: 'c' })).toMatchObject({ note: 'c' })
        expect([await texts.delete(1), await texts.restore(1)]).toEqual([true, true])
        for (const id of [1, 2])
          expect(await rejectionOf(texts.update(id, { text: 'much too long', note }))).toMatchObject({ issues: [{ path: 'text' }] })
        expect((await texts.updateMany({}, { note: `${note}!` })).length).toBe(2)
        await storage.close()
      }
    })

    test('of a record that is not there, or deleted, is not found', async () => {
      const row = await users.insert(alice)
      await users.delete(row.id)
      for (const id of [row.id, 99, 'x', null])
        expect(await rejectionOf(users.update(id as never, { name: 'x' }))).toBeInstanceOf(NotFoundError)
    })
  })

  describe('replace', () => {
    test('empties what is left out, and keeps id, stamps and immutable fields', async () => {
      const row = await users.insert({ ...alice, role: 'admin', phone: '1', code: 'x' }, { actor: 'ann' })
      const replaced = await users.replace(row.id, { name: 'B', email: 'b@example.com' }, { actor: 'bob' })
      expect(replaced).toStrictEqual({
        ...row,
        name: 'B',
        email: 'b@example.com',
        role: 'operator',
        phone: null,
        updated_at: replaced.updated_at,
        updated_by: 'bob',
      })
      expect(await users.get(row.id)).toStrictEqual(replaced)
    })

    test('by the same changes nothing; without a required field, or of nobody, it is refused', async () => {
      const row = await users.insert(alice)
      expect(await users.replace(row.id, alice, { actor: 'x' })).toStrictEqual(row)
      expect(await users.replace(row.id, row as never)).toStrictEqual(row)
      expect(await entries()).toHaveLength(1)
      expect(await rejectionOf(users.replace(row.id, { name: 'x' } as never))).toMatchObject({
        issues: [{ path: 'email', message: 'is required' }],
      })
      expect(await rejectionOf(users.replace(row.id, { ...alice, code: 'new' }))).toMatchObject({ issues: [{ path: 'code' }] })
      expect(await rejectionOf(users.replace(99, alice))).toBeInstanceOf(NotFoundError)
    })
  })

  describe('save', () => {
    test('without an id inserts; with the id of a record changes what is given and keeps the rest', async () => {
      const row = await users.save({ ...alice, phone: '1' })
      expect(row).toMatchObject({ id: 1, phone: '1' })
      expect(await users.save({ id: 1, name: 'Al' })).toMatchObject({ id: 1, name: 'Al', phone: '1', email: alice.email })
      expect(await entries()).toEqual([
        ['create', 1, 'internal'],
        ['update', 1, 'internal'],
      ])
    })

    test('with an id that does not exist inserts it there, and moves the sequence on', async () => {
      expect(await plains.save({ id: 5000, name: 'far' })).toEqual({ id: 5000, name: 'far' })
      expect(await plains.insert({ name: 'next' })).toEqual({ id: 5001, name: 'next' })
      expect(await countries.save({ code: 'FR', name: 'France' })).toEqual({ code: 'FR', name: 'France' })
    })

    test('of an unchanged record writes nothing', async () => {
      const row = await users.insert(alice)
      expect(await users.save(row)).toStrictEqual(row)
      expect(await entries()).toHaveLength(1)
    })

    test('of a deleted record is a conflict: restore it first', async () => {
      const row = await users.insert(alice)
      await users.delete(row.id)
      const error = await rejectionOf(users.save({ id: row.id, ...alice }))
      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({ code: 'state_conflict', status: 409 })
    })

    test('of an unknown id without required fields is refused', async () => {
      expect(await rejectionOf(users.save({ id: 9, name: 'x' }))).toMatchObject({ issues: [{ path: 'email' }] })
    })

    test('of the same new id by many at once: one inserts, the others change', async () => {
      const saves = Array.from({ length: 8 }, (_, index) => countries.save({ code: 'IT', name: `v${index}` }))
      const rows = await Promise.all(saves)
      expect(rows.map((row) => row.name)).toEqual(rows.map((_, index) => `v${index}`))
      const operations = (await entries()).map(([operation]) => operation)
      expect(operations).toEqual(['create', ...Array(7).fill('update')])
    })
  })

  describe('delete, restore and purge', () => {
    test('entries have the id as it is stored, however it was spelt', async () => {
      const { id } = await keyed.insert({})
      const spelt = id.toUpperCase()
      await keyed.update(spelt, { name: 'x' })
      await keyed.save({ id: spelt, name: 'y' })
      await keyed.delete(spelt)
      const entries = await storage.audit.find({ component: 'keyed' })
      expect(entries.map(({ operation, record_id }) => [operation, record_id])).toEqual(
        ['delete', 'update', 'update', 'create'].map((operation) => [operation, id]),
      )
    })

    test('a deleted record is gone for good where the model has no soft delete', async () => {
      const row = await plains.insert({ name: 'x' })
      expect(await plains.delete(row.id, { actor: 'ann' })).toBe(true)
      expect(await plains.delete(row.id)).toBe(false)
      expect(await plains.get(row.id, { includeDeleted: true })).toBeNull()
      expect(await entries()).toEqual([
        ['create', 1, 'internal'],
        ['delete', 1, 'ann'],
      ])
    })

    test('its id is never used again', async () => {
      const rows = await plains.insertMany([{ name: 'a' }, { name: 'b' }])
      await plains.deleteMany(rows.map((row) => row.id))
      expect(await plains.insert({ name: 'c' })).toMatchObject({ id: 3 })
    })

    test('where it has, it is marked, and its unique fields are free again', async () => {
      const row = await users.insert(alice)
      expect(await users.delete(row.id, { actor: 'bob' })).toBe(true)
      expect(await users.delete(row.id)).toBe(false)
      expect(await users.get(row.id, { includeDeleted: true })).toMatchObject({ ...alice, deleted_at: expect.any(Date), updated_by: 'bob' })
      expect(await users.insert(alice)).toMatchObject({ id: 2 })
      expect((await entries())[1]).toEqual(['soft_delete', 1, 'bob'])
    })

    test('restore brings it back, once', async () => {
      const row = await users.insert(alice)
      await users.delete(row.id)
      expect(await users.restore(row.id, { actor: 'carl' })).toBe(true)
      expect(await users.restore(row.id)).toBe(false)
      expect(await users.restore(99)).toBe(false)
      expect(await users.get(row.id)).toMatchObject({ ...alice, deleted_at: null, updated_by: 'carl' })
      expect((await entries()).map(([operation]) => operation)).toEqual(['create', 'soft_delete', 'restore'])
    })

    test('restore collides with a live record that took its place', async () => {
      const row = await users.insert(alice)
      await users.delete(row.id)
      await users.insert(alice)
      expect(await rejectionOf(users.restore(row.id))).toMatchObject({ code: 'unique_conflict', fields: ['email'], status: 409 })
      expect(await users.get(row.id)).toBeNull()
    })

    test('restore without soft delete is a conflict', async () => {
      const row = await plains.insert({ name: 'x' })
      expect(await rejectionOf(plains.restore(row.id))).toMatchObject({ code: 'state_conflict' })
    })

    test('purge removes for good, deleted or not', async () => {
      const [a, b] = await users.insertMany([alice, { name: 'B', email: 'b@example.com' }])
      await users.delete(a?.id ?? 0)
      expect(await users.purge(a?.id ?? 0)).toBe(true)
      expect(await users.purge(b?.id ?? 0)).toBe(true)
      expect(await users.purge(1)).toBe(false)
      expect(await users.count(undefined, { includeDeleted: true })).toBe(0)
      expect((await entries()).slice(3)).toEqual([
        ['purge', 1, 'internal'],
        ['purge', 2, 'internal'],
      ])
    })

    test('an id of the wrong shape is not there', async () => {
      for (const id of ['1', 0, null, {}]) {
        expect([await users.delete(id as never), await users.restore(id as never), await users.purge(id as never)]).toEqual([
          false,
          false,
          false,
        ])
      }
    })
  })

  describe('the many forms', () => {
    const people = Array.from({ length: 300 }, (_, index) => ({
      name: `n${index}`,
      email: `n${index}@example.com`,
      phone: index % 2 ? 'odd' : 'even',
    }))

    test('updateMany changes what holds the condition and answers what changed', async () => {
      await users.insertMany(people)
      const changed = await users.updateMany({ phone: 'odd' }, { role: 'admin' }, { actor: 'bob' })
      expect(changed).toHaveLength(150)
      expect(changed).toStrictEqual(await users.find({ where: { role: 'admin' } }))
      expect(await storage.audit.count({ operation: 'update', actor: 'bob' })).toBe(150)
      expect(await users.updateMany({}, { role: 'admin' })).toHaveLength(150)
      expect(await users.updateMany({}, { role: 'admin' })).toEqual([])
      expect(await users.updateMany({ phone: 'neither' }, { role: 'operator' })).toEqual([])
    })

    test('updateMany is all or none', async () => {
      await users.insertMany(people.slice(0, 3))
      expect(await rejectionOf(users.updateMany({}, { email: 'same@example.com' }))).toMatchObject({
        code: 'unique_conflict',
        fields: ['email'],
      })
      expect(await rejectionOf(users.updateMany({}, { name: '' }))).toBeInstanceOf(ValidationError)
      expect(await storage.audit.count({ operation: 'update' })).toBe(0)
    })

    test('deleteMany, restoreMany and purgeMany take ids or a condition, and know no page limit', async () => {
      await users.insertMany(people)
      expect(await users.deleteMany({ phone: 'odd' })).toBe(150)
      expect(await users.deleteMany([1, 3, 5, 5, 999, 'x' as never, 2])).toBe(3)
      expect(await users.count()).toBe(147)
      expect(await users.restoreMany([1, 3, 4])).toBe(3)
      expect(await users.restoreMany({ phone: 'odd' })).toBe(149)
      expect(await users.purgeMany({ phone: 'even' })).toBe(150)
      expect(await users.purgeMany([])).toBe(0)
      expect(await users.count(undefined, { includeDeleted: true })).toBe(150)
      const counts = await Promise.all(
        (['soft_delete', 'restore', 'purge'] as const).map((operation) => storage.audit.count({ operation })),
      )
      expect(counts).toEqual([153, 152, 150])
    })

    test('a condition that is none is refused rather than taken for all', async () => {
      await users.insertMany(people.slice(0, 2))
      for (const meant of [null, undefined, 7, 'all'])
        expect(await rejectionOf(users.deleteMany(meant as never))).toMatchObject({ name: expect.stringMatching(/Error$/) })
      for (const meant of [null, undefined, 7, 'all', [1]]) {
        expect(await rejectionOf(users.updateMany(meant as never, { name: 'x' }))).toMatchObject({ name: expect.stringMatching(/Error$/) })
      }
      expect(await users.count({ name: { ne: 'x' } })).toBe(2)
    })

    test('upsertMany inserts and changes in one go, in the order given', async () => {
      await users.insertMany([{ ...alice, phone: '1' }])
      const rows = await users.upsertMany(
        [
          { name: 'New', email: 'n@example.com' },
          { ...alice, name: 'Al' },
        ],
        { on: ['email'], actor: 'bob' },
      )
      expect(rows.map((row) => [row.id, row.name, row.phone])).toEqual([
        [2, 'New', null],
        [1, 'Al', '1'],
      ])
      expect((await entries()).slice(1).toSorted()).toEqual([
        ['create', 2, 'bob'],
        ['update', 1, 'bob'],
      ])
      expect(await users.upsertMany([{ ...alice, name: 'Al' }], { on: ['email'] })).toStrictEqual([rows[1]])
      expect(await entries()).toHaveLength(3)
    })

    test('upsertMany finds its records whatever way their key is written', async () => {
      await users.insert({ ...alice, rate: '1.5' })
      expect(await users.upsertMany([{ ...alice, name: 'Al', rate: '1.5' }], { on: ['rate'] })).toMatchObject([
        { id: 1, name: 'Al', rate: '1.50' },
      ])
      const id = '0199b6f4-3c5a-7d0e-9a41-5b8f0c2e7a13'
      await keyed.insert({ id })
      expect(await keyed.upsertMany([{ id: id.toUpperCase(), name: 'x' }], { on: ['id'] })).toEqual([{ id, name: 'x' }])
      expect(await rejectionOf(keyed.upsertMany([{ id }, { id: id.toUpperCase() }], { on: ['id'] }))).toBeInstanceOf(ValidationError)
    })

    test('upsertMany passes by deleted records', async () => {
      await users.insert(alice)
      await users.delete(1)
      expect(await users.upsertMany([alice], { on: ['email'] })).toMatchObject([{ id: 2 }])
    })

    test('upsertMany needs a unique key, given in each record once', async () => {
      expect(await rejectionOf(users.upsertMany([alice], { on: ['name'] }))).toMatchObject({ code: 'invalid_options' })
      expect(await rejectionOf(users.upsertMany([{ name: 'x' } as never], { on: ['email'] }))).toBeInstanceOf(ValidationError)
      expect(await rejectionOf(users.upsertMany([alice, alice], { on: ['email'] }))).toBeInstanceOf(ValidationError)
      expect(await users.count()).toBe(0)
    })

    test('upsertMany of the same new records by many at once: each is inserted once', async () => {
      const batch = Array.from({ length: 20 }, (_, index) => ({ code: `C${index}` }))
      await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          countries.upsertMany(
            batch.map((row) => ({ ...row, name: `v${index}` })),
            { on: ['code'] },
          ),
        ),
      )
      expect(await countries.count()).toBe(20)
      expect(await storage.audit.count({ operation: 'create' })).toBe(20)
    })
  })

  describe('every write', () => {
    test('leaves its inputs as they were', async () => {
      const record = Object.freeze({ ...alice, tags: Object.freeze({ list: Object.freeze([1]) }) })
      users.beforeInsert(({ record: draft }) => Object.assign(draft, { phone: 'hook' }))
      users.beforeUpdate(({ record: draft }) => Object.assign(draft, { phone: 'hook' }))
      const row = await users.insert(record as never)
      await users.save(Object.freeze({ id: row.id, name: 'a' }))
      await users.update(row.id, Object.freeze({ name: 'b' }))
      await users.replace(row.id, record as never)
      await users.updateMany(Object.freeze({ name: 'Alice' }), Object.freeze({ name: 'c' }))
      await users.upsertMany(Object.freeze([record]) as never, { on: Object.freeze(['email'] as const) })
      await users.deleteMany(Object.freeze([row.id]))
      expect(record).toStrictEqual({ ...alice, tags: { list: [1] } })
    })

    test('with dryRun answers what would have been, and leaves nothing', async () => {
      const row = await users.insert(alice)
      const before = await users.all({ includeDeleted: true })
      let committed = 0
      users.afterCommit(() => committed++)
      const dry = { dryRun: true } as const
      expect(await users.insert({ ...alice, email: 'b@example.com' }, dry)).toMatchObject({
        email: 'b@example.com',
        id: expect.any(Number),
      })
      expect(await users.insertMany([{ ...alice, email: 'c@example.com' }], dry)).toHaveLength(1)
      expect(await users.save({ id: 50, ...alice, email: 'd@example.com' }, dry)).toMatchObject({ id: 50 })
      expect(await users.update(row.id, { name: 'x' }, dry)).toMatchObject({ name: 'x' })
      expect(await users.replace(row.id, { ...alice, name: 'y' }, dry)).toMatchObject({ name: 'y' })
      expect(await users.updateMany({}, { name: 'z' }, dry)).toHaveLength(1)
      expect(await users.upsertMany([{ ...alice, name: 'u' }], { on: ['email'], ...dry })).toMatchObject([{ name: 'u' }])
      expect([
        await users.delete(row.id, dry),
        await users.deleteMany({}, dry),
        await users.purge(row.id, dry),
        await users.purgeMany({}, dry),
      ]).toEqual([true, 1, true, 1])
      expect(await rejectionOf(users.insert(alice, dry))).toMatchObject({ code: 'unique_conflict' })
      expect(await storage.transaction(async () => (await users.insert({ ...alice, email: 'e@example.com' })).email, dry)).toBe(
        'e@example.com',
      )
      expect(await users.all({ includeDeleted: true })).toStrictEqual(before)
      expect([await storage.audit.count(), committed]).toEqual([1, 0])
    })

    test('takes an actor and a request id that can stand in the log', async () => {
      await users.insert(alice, { actor: 'ann', requestId: 'r-1' })
      expect(await storage.audit.findOne()).toMatchObject({ actor: 'ann', request_id: 'r-1' })
      for (const options of [{ actor: '' }, { actor: 'a\0' }, { actor: 'x'.repeat(256) }, { requestId: '\uD800' }, { actor: 7 as never }]) {
        expect(await rejectionOf(users.insert({ ...alice, email: 'z@example.com' }, options))).toMatchObject({ code: 'validation_failed' })
      }
    })
  })

  describe('stamps', () => {
    test('have the names that the model gives them, and a reference is filled from the principal', async () => {
      const ann = await users.insert(alice)
      const note = await notes.insert({ text: 'x' }, { actor: 'ann', principal: { id: ann.id } })
      expect(note).toStrictEqual({
        id: 1,
        text: 'x',
        date_added: expect.any(Date),
        date_updated: note.date_added,
        added_by: ann.id,
        changed_by: 'ann',
      })
      const changed = await notes.update(note.id, { text: 'y' }, { actor: 'bob', principal: { id: 99 } })
      expect(changed).toMatchObject({ added_by: ann.id, changed_by: 'bob', date_added: note.date_added })
      expect(await notes.insert({ text: 'z' }, { actor: 'cron' })).toMatchObject({ added_by: null, changed_by: 'cron' })
    })
  })
})
