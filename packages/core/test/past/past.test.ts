import {
  defineAccess,
  defineModel,
  GoneError,
  InvalidQueryError,
  ModelAccessor,
  NotFoundError,
  Ref,
  type RevertOptions,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { completeImage, readImage } from '../../src/audit/image-reader.ts'
import { tamper } from '../audit/raw-database.ts'
import { rejectionOf, storagesOn } from '../support.ts'
import { laterThan } from './clock.ts'

const Note = defineModel(
  'notes',
  {
    text: Type.String({ minLength: 1 }),
    owner: Type.Optional(Type.String()),
    pay: Type.Optional(Type.Integer()),
    code: Type.Optional(Type.String()),
  },
  { softDelete: true, stamps: true, unique: [['text']], secret: ['code'] },
)
const Account = defineModel('accounts', { name: Type.String(), password_hash: Type.String() }, { secret: ['password_hash'] })
const Child = defineModel('children', { note_id: Ref(() => Note), label: Type.String() })

describeEngines('the past of records', (engine) => {
  const open = storagesOn(engine)

  /** Open accessors, and an instant between what was written before and what comes. */
  const house = async (options = {}) => {
    const notes = new ModelAccessor(Note, 'notes')
    const accounts = new ModelAccessor(Account, 'accounts')
    const children = new ModelAccessor(Child, 'children')
    const storage = await open([notes, accounts, children], options)
    const instant = async (): Promise<Date> => {
      const time = await laterThan()
      await laterThan(time)
      return time
    }
    return { notes, accounts, children, storage, instant }
  }

  test('a record is what it was before and after each of its writes, deletion, restore and purge among them', async () => {
    const { notes, instant } = await house()
    const before = await instant()
    const { id } = await notes.insert({ text: 'one', code: 's' })
    const made = await instant()
    await notes.update(id, { text: 'two' })
    const changed = await instant()
    await notes.delete(id)
    const deleted = await instant()
    await notes.restore(id)
    await notes.purge(id)
    expect(await notes.asOf(before).get(id)).toBeNull()
    expect(await notes.asOf(made).get(id)).toMatchObject({ text: 'one', code: '[secret]', deleted_at: null })
    expect(await notes.asOf(changed).get(id)).toMatchObject({ text: 'two' })
    expect(await notes.asOf(deleted).get(id)).toBeNull()
    expect(await notes.asOf(deleted).get(id, { includeDeleted: true })).toMatchObject({ text: 'two', deleted_at: expect.any(Date) })
    expect(await notes.asOf(new Date()).get(id)).toBeNull()
    const entries = await notes.history(id)
    expect(entries.map(({ operation }) => operation)).toEqual(['purge', 'restore', 'soft_delete', 'update', 'create'])
    expect(await notes.history(999)).toEqual([])
    expect(await notes.historyPage(999)).toBeNull()
  })

  test('pages of a history leave nothing out, and secrets are masked whether or not the record has changed', async () => {
    const { notes, instant } = await house()
    const { id } = await notes.insert({ text: 'a', code: 's' })
    for (const pay of [1, 2, 3, 4]) await notes.update(id, { pay })
    const first = await notes.historyPage(id, { limit: 2 })
    const second = await notes.historyPage(id, { limit: 3, ...(first?.next !== undefined && { after: first.next }) })
    const ids = [...(first?.entries ?? []), ...(second?.entries ?? [])].map((entry) => entry.id)
    expect(ids).toEqual((await notes.history(id)).map((entry) => entry.id))
    expect(second?.next).toBeUndefined()
    const time = await instant()
    expect(await notes.asOf(time).find()).toMatchObject([{ code: '[secret]', pay: 4 }])
    expect(JSON.stringify([await notes.diff(id, { from: time }), await notes.history(id)])).not.toContain('"s"')
  })

  test.each([
    ['malformed', new Date(Number.NaN)],
    ['still to come', new Date(Date.now() + 60_000)],
    ['no Date', '2026' as never],
  ])('a time that is %s is refused', async (_what, time) => {
    const { notes } = await house()
    expect(await rejectionOf(notes.asOf(time).find())).toBeInstanceOf(InvalidQueryError)
    expect(await rejectionOf(notes.revert(1, { to: time }))).toBeInstanceOf(InvalidQueryError)
  })

  test('a time before what the log has kept, and a record that was erased, are gone', async () => {
    const url = await engine.freshUrl()
    const { notes, storage, instant } = await house({ url })
    const { id } = await notes.insert({ text: 'a' })
    const time = await instant()
    await notes.update(id, { text: 'b' })
    const later = await instant()
    const [last] = await notes.history(id)
    await storage.audit.waitUntilSealed()
    await tamper(url, `UPDATE strongroom_audit_log SET "before" = NULL, "after" = NULL, salt = NULL WHERE id = ${last?.id}`)
    for (const ask of [() => notes.asOf(time).get(id), () => notes.revert(id, { to: time }), () => notes.revert(id, { to: last?.id ?? 0 })])
      expect(await rejectionOf(ask())).toBeInstanceOf(GoneError)
    expect(await notes.asOf(time).find()).toEqual([])
    expect(await notes.asOf(later).get(id)).toMatchObject({ text: 'b' })
    const [sealed] = await notes.history(id)
    await tamper(url, `UPDATE strongroom_audit_head SET retained_below = ${(sealed?.position ?? 0) + 1}`)
    for (const ask of [() => notes.asOf(time).find(), () => notes.asOf(time).get(999), () => notes.revert(id, { to: time })])
      expect(await rejectionOf(ask())).toBeInstanceOf(GoneError)
    expect(await notes.asOf(later).find()).toMatchObject([{ text: 'b' }])
  })

  test('diff names the fields that differ, and null where the record was not there', async () => {
    const { notes, instant } = await house()
    const before = await instant()
    const { id } = await notes.insert({ text: 'a', pay: 1 })
    const made = await instant()
    await notes.update(id, { pay: 2, owner: 'x' })
    const changed = await instant()
    await notes.delete(id)
    const own = (changes: readonly { field: string }[] = []) => changes.filter(({ field }) => !field.startsWith('updated_'))
    expect(own((await notes.diff(id, { from: made, to: changed }))?.changes)).toEqual([
      { field: 'owner', from: null, to: 'x' },
      { field: 'pay', from: 1, to: 2 },
    ])
    expect(own((await notes.diff(id, { from: changed }))?.changes)).toEqual([{ field: 'deleted_at', from: null, to: expect.any(Date) }])
    expect(await notes.diff(id, { from: before, to: made })).toMatchObject({ from: null, to: { text: 'a' } })
    expect(await notes.diff(id, { from: before, to: before })).toBeNull()
  })

  describe('revert', () => {
    const back = async (notes: ModelAccessor<typeof Note>, id: number, options: RevertOptions) =>
      notes.revert(id, { actor: 'op', ...options })

    test('changes a record back to an instant or an entry, keeps its secret, and is a write like any other', async () => {
      const { notes, instant } = await house()
      const { id } = await notes.insert({ text: 'a', code: 'old' })
      const time = await instant()
      await notes.update(id, { text: 'b', pay: 5, code: 'new' })
      expect(await back(notes, id, { to: time })).toMatchObject({ text: 'a', pay: null, code: 'new', updated_by: 'op' })
      const [last, second] = await notes.history(id)
      expect(last).toMatchObject({ operation: 'update', actor: 'op' })
      expect(await back(notes, id, { to: second?.id ?? 0 })).toMatchObject({ text: 'b', pay: 5 })
      expect(await back(notes, id, { to: new Date() })).toMatchObject({ text: 'b' })
      expect(await notes.history(id)).toHaveLength(4)
    })

    test('restores a deleted record, and makes a purged one anew at its id', async () => {
      const { notes, instant } = await house()
      const first = await notes.insert({ text: 'a' }, { actor: 'maker' })
      const time = await instant()
      await notes.update(first.id, { text: 'b' })
      await notes.delete(first.id)
      expect(await back(notes, first.id, { to: time })).toMatchObject({ text: 'a', deleted_at: null })
      expect((await notes.history(first.id))[0]).toMatchObject({ operation: 'restore' })
      await notes.purge(first.id)
      expect(await back(notes, first.id, { to: time })).toEqual({ ...first, code: null, updated_at: expect.any(Date), updated_by: 'op' })
      expect((await notes.history(first.id))[0]).toMatchObject({ operation: 'create', actor: 'op' })
    })

    test('refuses what cannot be, and leaves everything as it is', async () => {
      const { notes, accounts, children, instant } = await house()
      const before = await instant()
      const { id } = await notes.insert({ text: 'a' })
      const account = await accounts.insert({ name: 'x', password_hash: 'h' })
      const other = await notes.insert({ text: 'other' })
      const child = await children.insert({ note_id: other.id, label: 'c' })
      const time = await instant()
      await accounts.purge(account.id)
      await notes.update(id, { text: 'b' })
      await notes.insert({ text: 'a' })
      await children.purge(child.id)
      await notes.purge(other.id)
      expect(await rejectionOf(back(notes, id, { to: before }))).toMatchObject({ code: 'state_conflict' })
      expect(await rejectionOf(back(notes, id, { to: time }))).toMatchObject({ code: 'unique_conflict' })
      expect(await rejectionOf(accounts.revert(account.id, { to: time }))).toMatchObject({
        code: 'state_conflict',
        fields: ['password_hash'],
      })
      expect(await rejectionOf(children.revert(child.id, { to: time }))).toMatchObject({ code: 'reference_conflict' })
      expect(await rejectionOf(back(notes, 999, { to: time }))).toBeInstanceOf(NotFoundError)
      expect(await rejectionOf(back(notes, id, { to: 999_999 }))).toBeInstanceOf(NotFoundError)
      expect(await rejectionOf(back(notes, id, { to: time, ifMatch: 'stale' }))).toMatchObject({ code: 'precondition_failed' })
      expect(await notes.get(id)).toMatchObject({ text: 'b' })
      expect(await back(notes, other.id, { to: time, dryRun: true })).toMatchObject({ text: 'other' })
      expect(await notes.get(other.id)).toBeNull()
    })
  })

  test('rules hold for what a record was and for what it is; hidden fields stay hidden and locked', async () => {
    const access = [
      defineAccess(Note, {
        all: ['boss', ({ id }) => ({ owner: String(id) })],
        fields: { pay: { read: 'boss', write: 'boss' } },
      }),
      defineAccess(Account, { all: true }),
      defineAccess(Child, { all: true }),
    ]
    const { notes, instant } = await house({ access })
    const ann = { principal: { id: 'ann' } }
    const given = await notes.insert({ text: 'given away', owner: 'ann', pay: 1 })
    const taken = await notes.insert({ text: 'taken over', owner: 'bob' })
    const gone = await notes.insert({ text: 'gone', owner: 'ann' })
    const mine = await notes.insert({ text: 'mine', owner: 'ann', pay: 7 })
    const time = await instant()
    await notes.update(given.id, { owner: 'bob' })
    await notes.update(taken.id, { owner: 'ann' })
    await notes.purge(gone.id)
    await notes.update(mine.id, { text: 'mine again', pay: 8 })
    const past = notes.asOf(time)
    expect((await past.find({ ...ann, orderBy: 'id' })).map(({ text }) => text)).toEqual(['gone', 'mine'])
    expect(await past.count({}, ann)).toBe(2)
    for (const { id } of [given, taken]) expect(await past.get(id, ann)).toBeNull()
    expect(await past.get(mine.id, ann)).not.toHaveProperty('pay')
    expect(await rejectionOf(past.find({ ...ann, where: { pay: 7 } }))).toBeInstanceOf(InvalidQueryError)
    expect(await notes.history(given.id, ann)).toEqual([])
    expect((await notes.history(taken.id, ann)).length).toBe(0)
    expect((await notes.history(mine.id, ann)).map(({ after }) => after)).toEqual([
      expect.not.objectContaining({ pay: expect.anything() }),
      expect.not.objectContaining({ pay: expect.anything() }),
    ])
    for (const { id } of [given, taken]) expect(await rejectionOf(notes.revert(id, { to: time, ...ann }))).toBeInstanceOf(NotFoundError)
    expect(await notes.revert(mine.id, { to: time, ...ann })).toMatchObject({ text: 'mine' })
    expect(await notes.get(mine.id)).toMatchObject({ text: 'mine', pay: 8 })
  })

  test('another tenant has no past here', async () => {
    const Doc = defineModel('docs', { org: Type.String(), title: Type.String() }, { tenant: 'org' })
    const docs = new ModelAccessor(Doc, 'docs')
    await open([docs])
    const theirs = await docs.insert({ title: 'b' } as never, { tenant: 'b' })
    const ours = await docs.insert({ title: 'a' } as never, { tenant: 'a' })
    const time = await laterThan()
    await laterThan(time)
    for (const tenant of ['a', 'b'] as const) await docs.updateMany({}, { title: 'new' }, { tenant })
    await docs.purge(theirs.id)
    const inA = { tenant: 'a' }
    expect(await docs.asOf(time).find(inA)).toEqual([ours])
    expect(await docs.asOf(time).count({}, inA)).toBe(1)
    expect(await docs.asOf(time).get(theirs.id, inA)).toBeNull()
    expect(await docs.historyPage(theirs.id, inA)).toBeNull()
    expect(await docs.history(ours.id, inA)).toHaveLength(2)
    expect(await rejectionOf(docs.revert(theirs.id, { to: time, ...inA }))).toBeInstanceOf(NotFoundError)
  })
})

test('an image is read by the model of today: new fields are left out, strangers and values of another kind too', () => {
  const image = readImage(Note, '{"id":7,"text":"a","pay":"much","colour":"red","code":"[secret]","deleted_at":null}')
  expect(image).toEqual({ id: 7, text: 'a', code: '[secret]', deleted_at: null })
  expect(completeImage(Note, image)).toMatchObject({ text: 'a', pay: null, owner: null, code: '[secret]' })
})
