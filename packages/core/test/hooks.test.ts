import { type AuditEntry, Bytes, DateTime, defineModel, Json, ModelAccessor, type Storage, ValidationError } from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { gate, rejectionOf, storagesOn } from './support.ts'

const Item = defineModel(
  'items',
  { name: Type.String({ minLength: 1 }), count: Type.Optional(Type.Integer()), code: Type.Optional(Type.String()) },
  { softDelete: true, unique: [['name']], immutable: ['code'] },
)
const Log = defineModel('logs', { text: Type.String() })
const Paper = defineModel('papers', { title: Type.String(), tags: Json(), at: DateTime(), seal: Bytes({ maxLength: 4 }) })
const Stamped = defineModel('stamped', { name: Type.String() }, { stamps: true })

describeEngines('hooks', (engine) => {
  const open = storagesOn(engine)
  let items: ModelAccessor<typeof Item>
  let logs: ModelAccessor<typeof Log>
  let storage: Storage
  let logged: unknown[][]

  beforeEach(async () => {
    items = new ModelAccessor(Item, 'items')
    logs = new ModelAccessor(Log, 'logs')
    logged = []
    storage = await open([items, logs], {
      logger: { error: (...args: unknown[]) => void logged.push(args), warn: () => {}, info: () => {} } as never,
    })
  })

  const trail = async (): Promise<string[]> =>
    (await storage.audit.find()).reverse().map((entry: AuditEntry) => `${entry.operation} ${entry.component}:${entry.record_id}`)

  describe('order', () => {
    test('before and after each kind of write, in the order of registration, commit last', async () => {
      const calls: string[] = []
      const note = (name: string) => () => void calls.push(name)
      items
        .beforeInsert(note('beforeInsert 1'))
        .beforeInsert(note('beforeInsert 2'))
        .afterInsert(note('afterInsert 1'))
        .afterInsert(note('afterInsert 2'))
      items
        .beforeUpdate(note('beforeUpdate'))
        .afterUpdate(note('afterUpdate'))
        .beforeDelete(note('beforeDelete'))
        .afterDelete(note('afterDelete'))
      items
        .beforeRestore(note('beforeRestore'))
        .afterRestore(note('afterRestore'))
        .afterCommit(note('commit 1'))
        .afterCommit(note('commit 2'))
      await items.insert({ name: 'a' })
      expect(calls.splice(0)).toEqual(['beforeInsert 1', 'beforeInsert 2', 'afterInsert 1', 'afterInsert 2', 'commit 1', 'commit 2'])
      await items.update(1, { name: 'b' })
      expect(calls.splice(0)).toEqual(['beforeUpdate', 'afterUpdate', 'commit 1', 'commit 2'])
      await items.delete(1)
      expect(calls.splice(0)).toEqual(['beforeDelete', 'afterDelete', 'commit 1', 'commit 2'])
      await items.restore(1)
      expect(calls.splice(0)).toEqual(['beforeRestore', 'afterRestore', 'commit 1', 'commit 2'])
      await items.purge(1)
      expect(calls.splice(0)).toEqual(['beforeDelete', 'afterDelete', 'commit 1', 'commit 2'])
    })

    test('asynchronous hooks are waited for, one after the other', async () => {
      const calls: string[] = []
      for (const moment of ['beforeInsert', 'afterInsert', 'afterCommit'] as const) {
        items[moment](async ({ record }: { record: { name: string } }) => {
          calls.push(`${moment} starts`)
          await logs.count()
          calls.push(`${moment} ends ${record.name}`)
        })
        items[moment](() => void calls.push(`${moment} next`))
      }
      await items.insert({ name: 'a' })
      expect(calls).toEqual(
        ['beforeInsert', 'afterInsert', 'afterCommit'].flatMap((moment) => [`${moment} starts`, `${moment} ends a`, `${moment} next`]),
      )
    })

    test('they are told what happens, by whom and for which request', async () => {
      const told: unknown[] = []
      const tell = ({ record, previous, operation, actor, requestId }: never) =>
        void told.push([operation, previous, record, actor, requestId])
      await items.insert({ name: 'a' })
      const row = await items.get(1)
      items.beforeUpdate(
        ({ record, previous, operation, actor, requestId }) => void told.push([operation, previous, { ...record }, actor, requestId]),
      )
      items.afterDelete(
        ({ record, previous, operation, actor, requestId, session }) =>
          void told.push([operation, previous, { ...record }, actor, requestId, session.context.actor]),
      )
      items.afterCommit(tell as never)
      await items.update(1, { count: 2 }, { actor: 'ann', requestId: 'r' })
      expect(told.splice(0)).toEqual([
        ['update', row, { ...row, count: 2 }, 'ann', 'r'],
        ['update', row, { ...row, count: 2 }, 'ann', 'r'],
      ])
      await items.delete(1)
      const gone = await items.get(1, { includeDeleted: true })
      expect(told).toEqual([
        ['soft_delete', { ...row, count: 2 }, gone, 'internal', null, 'internal'],
        ['soft_delete', { ...row, count: 2 }, gone, 'internal', null],
      ])
    })

    test('they are told for whom: the caller, and nobody where the code acts for itself', async () => {
      const told: unknown[] = []
      items.beforeInsert(({ principal }) => void told.push(principal))
      items.afterCommit(({ principal }) => void told.push(principal))
      await items.insert({ name: 'a' }, { principal: { id: 7, roles: ['member'] } })
      await items.insert({ name: 'b' })
      const caller = { id: 7, roles: ['member'] }
      expect(told).toEqual([caller, caller, null, null])
    })

    test('a save that changes nothing calls no hook after it', async () => {
      await items.insert({ name: 'a' })
      let calls = 0
      items.afterUpdate(() => calls++).afterCommit(() => calls++)
      await items.save({ id: 1, name: 'a' })
      expect(calls).toBe(0)
    })
  })

  describe('a before-hook', () => {
    test('may change the record, and what it makes of it is stored and logged', async () => {
      items.beforeInsert(({ record }) => Object.assign(record, { count: (record.count ?? 0) + 1 }))
      items.beforeInsert(async ({ record }) => Object.assign(record, { count: (record.count ?? 0) * 10 }))
      items.beforeUpdate(({ record, previous }) => Object.assign(record, { count: (previous?.count ?? 0) + 1 }))
      expect(await items.insert({ name: 'a', count: 4 })).toMatchObject({ count: 50 })
      expect(await items.update(1, { name: 'b' })).toMatchObject({ count: 51 })
      expect((await items.get(1))?.count).toBe(51)
      expect((await storage.audit.findOne())?.after).toMatchObject({ name: 'b', count: 51 })
    })

    test('may fill in a required field, and cannot get round the rules', async () => {
      items.beforeInsert(({ record }) => Object.assign(record, { name: record.name ?? 'filled' }))
      expect(await items.insert({} as never)).toMatchObject({ name: 'filled' })
      for (const [field, value] of [
        ['name', ''],
        ['name', null],
        ['count', 'x'],
        ['nme', 1],
      ] as const) {
        const strict = new ModelAccessor(Item, 'items')
        const other = await open([strict])
        strict.beforeInsert(({ record }) => void Object.assign(record, { [field]: value }))
        strict.beforeUpdate(({ record }) => void Object.assign(record, { [field]: value }))
        expect(await rejectionOf(strict.insert({ name: 'a' }))).toMatchObject({ code: 'validation_failed', issues: [{ path: field }] })
        expect(await other.audit.count()).toBe(0)
      }
    })

    test.each([
      ['id', 7],
      ['deleted_at', new Date()],
      ['code', 'other'],
    ])('of an update cannot change %s', async (field, value) => {
      await items.insert({ name: 'a', code: 'x' })
      items.beforeUpdate(({ record }) => void Object.assign(record, { [field]: value }))
      expect(await rejectionOf(items.update(1, { name: 'b' }))).toMatchObject({ code: 'validation_failed', issues: [{ path: field }] })
      expect(await items.all()).toMatchObject([{ id: 1, name: 'a', code: 'x' }])
    })

    test('of a delete cannot change what is deleted', async () => {
      await items.insert({ name: 'a' })
      items.beforeDelete(({ record }) => void Object.assign(record, { name: 'changed', deleted_at: null }))
      await items.delete(1)
      expect(await items.get(1, { includeDeleted: true })).toMatchObject({ name: 'a', deleted_at: expect.any(Date) })
    })

    test('never sees the caller’s own object', async () => {
      const given = { name: 'a' }
      items.beforeInsert(({ record }) => Object.assign(record, { name: 'b' }))
      await items.insert(given)
      expect(given).toEqual({ name: 'a' })
    })

    test('has the record to itself; what later hooks do to theirs, and all to the previous one, reaches nobody', async () => {
      const spoil = (event: { record: object; previous: object | null }): void => {
        Object.assign(event.record, { name: 'spoilt' })
        if (event.previous) Object.assign(event.previous, { name: 'spoilt' })
      }
      items.afterInsert(spoil).afterUpdate(spoil).afterDelete(spoil).afterRestore(spoil).afterCommit(spoil)
      items.beforeUpdate(({ previous }) => previous && Object.assign(previous, { name: 'spoilt' }))
      expect(await items.insert({ name: 'a' })).toMatchObject({ name: 'a' })
      expect(await items.update(1, { count: 1 })).toMatchObject({ name: 'a' })
      await items.delete(1)
      await items.restore(1)
      expect(JSON.stringify([await items.all(), await storage.audit.find()])).not.toContain('spoilt')
    })

    describe('of a record with values that can be changed in place', () => {
      let papers: ModelAccessor<typeof Paper>
      let shelf: Storage
      const given = () => ({ title: 'a', tags: ['one'], at: new Date('2026-01-01T00:00:00Z'), seal: new Uint8Array([1]) })
      const scribble = ({ record }: { record: { tags: unknown; at: Date; seal: Uint8Array } }): void => {
        if (Array.isArray(record.tags)) record.tags.push('more')
        record.at.setUTCFullYear(1999)
        record.seal[0] = 9
      }
      beforeEach(async () => {
        papers = new ModelAccessor(Paper, 'papers')
        shelf = await open([papers])
      })

      test('may change them so in an insert: the caller’s own are left alone', async () => {
        papers.beforeInsert(scribble)
        const input = given()
        const stored = await papers.insert(input)
        expect(input).toEqual(given())
        expect(stored).toMatchObject({ tags: ['one', 'more'], at: new Date('1999-01-01T00:00:00Z'), seal: new Uint8Array([9]) })
        expect(await papers.get(stored.id)).toEqual(stored)
      })

      test('may change them so in an update: it is stored, and the entry has the record as it stood', async () => {
        const { id } = await papers.insert(given())
        papers.beforeUpdate(scribble)
        const stored = await papers.update(id, { title: 'b' })
        expect(stored).toMatchObject({ tags: ['one', 'more'], at: new Date('1999-01-01T00:00:00Z'), seal: new Uint8Array([9]) })
        expect(await papers.get(id)).toEqual(stored)
        const entry = await shelf.audit.findOne()
        expect([entry?.before?.['tags'], entry?.after?.['tags'], entry?.before?.['at']]).toEqual([
          ['one'],
          ['one', 'more'],
          '2026-01-01T00:00:00.000Z',
        ])
      })

      test('a patch that is a function may change them so', async () => {
        const { id } = await papers.insert(given())
        const stored = await papers.update(id, (paper) => {
          if (Array.isArray(paper.tags)) paper.tags.push('more')
          return { tags: paper.tags }
        })
        expect(stored.tags).toEqual(['one', 'more'])
        expect(await papers.get(id)).toEqual(stored)
      })

      test('and what is done to them afterwards, or to the previous record, reaches nobody', async () => {
        const spoil = (event: { record: unknown; previous: unknown }): void => {
          for (const seen of [event.record, event.previous]) if (seen) scribble({ record: seen as ReturnType<typeof given> })
        }
        papers.afterInsert(spoil).afterUpdate(spoil).afterCommit(spoil)
        papers.beforeUpdate(({ previous }) => spoil({ record: null, previous }))
        expect(await papers.insert(given())).toMatchObject(given())
        expect(await papers.update(1, { title: 'b' })).toMatchObject({ ...given(), title: 'b' })
        expect(JSON.stringify([await papers.all(), await shelf.audit.find()])).not.toMatch(/more|1999/)
      })
    })

    test('cannot set the stamps: those of the insert are refused, those of the last change passed over', async () => {
      const stamped = new ModelAccessor(Stamped, 'stamped')
      const own = await open([stamped])
      let field = 'created_at'
      stamped.beforeInsert(({ record }) => void Object.assign(record, { [field]: field.endsWith('_at') ? new Date(0) : 'mallory' }))
      for (field of ['created_at', 'created_by']) {
        expect(await rejectionOf(stamped.insert({ name: 'a' }))).toMatchObject({
          code: 'validation_failed',
          issues: [{ path: field, message: 'cannot be changed by a hook' }],
        })
      }
      for (field of ['updated_at', 'updated_by']) {
        const row = await stamped.insert({ name: 'a' }, { actor: 'ann' })
        expect(row).toMatchObject({ updated_at: row.created_at, updated_by: 'ann' })
      }
      expect(await own.audit.count()).toBe(2)
    })

    test.each(['insert', 'restore'])('of an %s cannot delete the record', async (write) => {
      await items.insert({ name: 'gone' })
      await items.delete(1)
      const mark = ({ record }: { record: object }) => Object.assign(record, { deleted_at: new Date() })
      items.beforeInsert(mark).beforeRestore(mark)
      const error = await rejectionOf(write === 'insert' ? items.insert({ name: 'a' }) : items.restore(1))
      expect(error).toMatchObject({ code: 'validation_failed', issues: [{ path: 'deleted_at' }] })
    })

    test('that changes the same record by its accessor leaves before and after right', async () => {
      await items.insertMany([
        { name: 'a', count: 1 },
        { name: 'b', count: 1 },
      ])
      items.beforeUpdate(async ({ record, previous }) => {
        if (record.id === 1 && previous?.count === 1) await items.update(2, { count: 5 })
      })
      await items.updateMany({ count: 1 }, { count: 2 })
      const chain = (await storage.audit.find({ component: 'items', record_id: 2 })).reverse()
      for (const [index, entry] of chain.entries()) if (index > 0) expect(entry.before).toEqual(chain[index - 1]?.after)
      expect(await items.get(2)).toMatchObject({ count: chain.at(-1)?.after?.['count'] })
    })

    test('of a delete that changes the parent leaves before and after right', async () => {
      await items.insert({ name: 'a', count: 1 })
      items.beforeDelete(async () => void (await items.update(1, { count: 2 })))
      await items.delete(1)
      const [deleted, updated] = await storage.audit.find({ limit: 2 })
      expect([updated?.operation, deleted?.operation, deleted?.before?.['count'], deleted?.after?.['count']]).toEqual([
        'update',
        'soft_delete',
        2,
        2,
      ])
    })
  })

  describe('a throw', () => {
    const moments = [
      'beforeInsert',
      'afterInsert',
      'beforeUpdate',
      'afterUpdate',
      'beforeDelete',
      'afterDelete',
      'beforeRestore',
      'afterRestore',
    ] as const
    const how = ['at once', 'later'] as const

    test.each(moments.flatMap((moment) => how.map((when) => [moment, when] as const)))(
      'in %s, %s, undoes row and entry',
      async (moment, when) => {
        await items.insertMany([{ name: 'live' }, { name: 'gone' }])
        await items.delete(2)
        const [rows, entries] = [await items.all({ includeDeleted: true }), await trail()]
        const problem = new ValidationError('not today')
        items[moment](
          when === 'at once'
            ? () => {
                throw problem
              }
            : async () => {
                await items.count()
                throw problem
              },
        )
        const write = {
          Insert: () => items.insert({ name: 'new' }),
          Update: () => items.update(1, { name: 'new' }),
          Delete: () => items.delete(1),
          Restore: () => items.restore(2),
        }[moment.replace(/before|after/, '') as 'Insert']
        expect(await rejectionOf(write())).toBe(problem)
        expect(await items.all({ includeDeleted: true })).toStrictEqual(rows)
        expect(await trail()).toEqual(entries)
      },
    )

    test('of anything else reaches the caller as it is', async () => {
      const odd = new TypeError('oops')
      items.afterInsert(() => {
        throw odd
      })
      expect(await rejectionOf(items.insert({ name: 'a' }))).toBe(odd)
    })

    test('for one record of a batch undoes the batch', async () => {
      items.afterInsert(({ record }) => {
        if (record.name === 'n7') throw new Error('n7')
      })
      await rejectionOf(items.insertMany(Array.from({ length: 20 }, (_, index) => ({ name: `n${index}` }))))
      expect([await items.count(), await trail()]).toEqual([0, []])
    })

    test.each(how)('in every fourth of 64 inserts at once, %s, keeps exactly the others', async (when) => {
      items.beforeInsert(({ record }) => {
        if (record.count === 1 && when === 'at once') throw new Error('refused')
      })
      items.afterInsert(async ({ record }) => {
        if (when === 'at once') return
        await logs.count()
        if (record.count === 1) throw new Error('refused')
      })
      items.afterInsert(({ record }) => {
        if (record.count === 3 && when === 'at once') throw new Error('refused')
      })
      const fails = (count: number): boolean => count === 1 || (count === 3 && when === 'at once')
      const outcomes = await Promise.allSettled(
        Array.from({ length: 64 }, (_, index) => items.insert({ name: `n${index}`, count: index % 4 })),
      )
      expect(outcomes.map((outcome) => outcome.status)).toEqual(
        Array.from({ length: 64 }, (_, index) => (fails(index % 4) ? 'rejected' : 'fulfilled')),
      )
      const kept = await items.all()
      expect(kept.map((row) => row.name).toSorted()).toEqual(
        Array.from({ length: 64 }, (_, index) => index)
          .filter((index) => !fails(index % 4))
          .map((index) => `n${index}`)
          .toSorted(),
      )
      const entries = await storage.audit.find({ component: 'items' })
      expect(entries.map((entry) => entry.record_id).toSorted()).toEqual(kept.map((row) => row.id).toSorted())
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') expect(kept).toContainEqual(outcome.value)
    })

    test('in hooks that return a promise now and then mixes with those that do not', async () => {
      items.beforeInsert(({ record }) => (record.count === 1 ? logs.insert({ text: record.name }).then(() => undefined) : undefined))
      items.afterInsert(({ record }) => {
        if (record.count === 2) throw new Error('refused')
      })
      await Promise.allSettled(Array.from({ length: 64 }, (_, index) => items.insert({ name: `n${index}`, count: index % 4 })))
      expect([await items.count(), await logs.count(), (await trail()).length]).toEqual([48, 16, 64])
    })
  })

  describe('a hook that uses another accessor', () => {
    test('joins the transaction, and is undone with it', async () => {
      items.afterInsert(async ({ record }) => {
        await logs.insert({ text: `made ${record.name}` })
        if (record.name === 'bad') throw new Error('bad')
      })
      await items.insert({ name: 'good' }, { actor: 'ann', requestId: 'r1' })
      await rejectionOf(items.insert({ name: 'bad' }))
      expect((await logs.all()).map((row) => row.text)).toEqual(['made good'])
      const [second, first] = await storage.audit.find()
      expect([first?.component, second?.component]).toEqual(['items', 'logs'])
      expect(second).toMatchObject({ actor: 'ann', request_id: 'r1', transaction_id: first?.transaction_id })
    })

    test('may let a write fail and go on', async () => {
      items.beforeInsert(async ({ record }) => {
        await rejectionOf(logs.insert({ text: 7 as never }))
        await rejectionOf(items.insert({ id: 1, name: 'dup' }).then(() => items.insert({ id: 1, name: 'dup' })))
        void record
      })
      const plain = new ModelAccessor(Item, 'items')
      const other = new ModelAccessor(Log, 'logs')
      const second = await open([plain, other])
      other.beforeInsert(async ({ record }) => {
        await plain.insert({ name: 'once' })
        await rejectionOf(plain.insert({ name: 'once' }))
        record.text = `${record.text}!`
      })
      expect(await other.insert({ text: 'x' })).toMatchObject({ text: 'x!' })
      expect([await plain.count(), await second.audit.count()]).toEqual([1, 2])
    })

    test('without end is stopped with an error that says so, and nothing is left', async () => {
      let calls = 0
      items.beforeInsert(async () => {
        calls++
        await items.insert({ name: `again ${calls}` })
      })
      const error = await rejectionOf(items.insert({ name: 'a' }))
      expect(error).toMatchObject({ code: 'internal_error', message: expect.stringContaining('nested more than 100 deep') })
      expect([calls, await items.count(), await storage.audit.count()]).toEqual([101, 0, 0])
    })

    test('can read by session.kysely what the unit has written', async () => {
      const counts: unknown[] = []
      items.afterInsert(async ({ session }) => {
        const row = await session.kysely
          .selectFrom('items')
          .select((eb) => eb.fn.countAll().as('count'))
          .executeTakeFirst()
        counts.push(Number(row?.count))
      })
      await items.insert({ name: 'a' })
      expect(counts).toEqual([1])
    })
  })

  describe('afterCommit', () => {
    test('sees what is committed, outside any transaction', async () => {
      const seen: unknown[] = []
      items.afterCommit(async ({ record }) => {
        seen.push((await items.get(record.id))?.name, Number((await storage.kysely.selectFrom('items').select('id').execute()).length))
        await logs.insert({ text: 'from commit' })
      })
      await items.insert({ name: 'a' })
      expect(seen).toEqual(['a', 1])
      const [log, item] = await storage.audit.find()
      expect(log?.transaction_id).not.toBe(item?.transaction_id)
    })

    test('waits for the outermost transaction, and runs in the order of the writes', async () => {
      const calls: string[] = []
      items.afterCommit(({ record }) => void calls.push(record.name))
      await storage.transaction(async () => {
        await items.insert({ name: 'a' })
        await storage.transaction(() => items.insert({ name: 'b' }))
        await items.insertMany([{ name: 'c' }, { name: 'd' }])
        expect(calls).toEqual([])
      })
      expect(calls).toEqual(['a', 'b', 'c', 'd'])
    })

    test('does not run for what was rolled back: the whole, or a nested part', async () => {
      const calls: string[] = []
      items.afterCommit(({ record }) => void calls.push(record.name))
      await rejectionOf(
        storage.transaction(async () => {
          await items.insert({ name: 'a' })
          throw new Error('no')
        }),
      )
      await storage.transaction(async () => {
        await items.insert({ name: 'kept' })
        await rejectionOf(
          storage.transaction(async () => {
            await items.insert({ name: 'b' })
            throw new Error('no')
          }),
        )
        await rejectionOf(items.insert({ name: 'kept' }))
      })
      await items.insert({ name: 'dry' }, { dryRun: true })
      expect(calls).toEqual(['kept'])
    })

    test('that throws is logged and harms nobody', async () => {
      const calls: string[] = []
      items.afterCommit(() => {
        throw new Error('mail server down')
      })
      items.afterCommit(async () => {
        throw new Error('later')
      })
      items.afterCommit(() => void calls.push('next'))
      expect(await items.insert({ name: 'a' })).toMatchObject({ name: 'a' })
      expect([calls, await items.count()]).toEqual([['next'], 1])
      expect(JSON.stringify(logged.map((args) => args.map(String)))).toMatch(/mail server down.*later/)
    })

    test('that is slow holds nobody else’s write back', async () => {
      const { opened, open: finish } = gate()
      const { opened: isCommitted, open: committed } = gate()
      items.afterCommit(({ record }) => {
        if (record.name !== 'slow') return
        committed()
        return opened
      })
      const slow = items.insert({ name: 'slow' })
      await isCommitted
      await items.insert({ name: 'quick' })
      expect(await items.count()).toBe(2)
      finish()
      await slow
    })
  })
})
