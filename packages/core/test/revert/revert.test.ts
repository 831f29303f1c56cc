import { Readable } from 'node:stream'
import {
  ConflictError,
  defineAccess,
  defineModel,
  ForbiddenError,
  InvalidQueryError,
  ModelAccessor,
  NotFoundError,
  type RevertChangesOptions,
  type RevertSelection,
  UsageError,
  ValidationError,
} from '@strongroom/core'
import { describeEngines } from '@strongroom/testkit'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { laterThan } from '../past/clock.ts'
import { rejectionOf, storagesOn } from '../support.ts'

const User = defineModel(
  'users',
  { email: Type.String(), role: Type.Optional(Type.String()), org: Type.Optional(Type.String()), code: Type.Optional(Type.String()) },
  { softDelete: true, stamps: true, unique: [['email']], secret: ['code'] },
)
const Account = defineModel('accounts', { name: Type.String(), password_hash: Type.String() }, { secret: ['password_hash'] })

describeEngines('undo of many changes', (engine) => {
  const open = storagesOn(engine)
  const house = async (options = {}) => {
    const users = new ModelAccessor(User, 'users')
    const accounts = new ModelAccessor(Account, 'accounts')
    const storage = await open([users, accounts], options)
    return { users, accounts, storage }
  }

  test('what an actor did since an instant is undone, and what others did stays', async () => {
    const { users, storage } = await house()
    const [ann, bob] = await users.insertMany([{ email: 'ann' }, { email: 'bob' }], { actor: 'mallory' })
    const since = await laterThan()
    await laterThan(since)
    await users.update(ann?.id ?? 0, { role: 'admin' }, { actor: 'mallory' })
    await users.delete(bob?.id ?? 0, { actor: 'mallory' })
    await users.insert({ email: 'eve' }, { actor: 'mallory' })
    await users.insert({ email: 'cyd' }, { actor: 'admin' })
    const report = await storage.revert({ actor: 'mallory', since }, { actor: 'olga', requestId: 'cleanup' })
    expect(report).toEqual({
      applied: true,
      dryRun: false,
      requestId: 'cleanup',
      components: [{ component: 'users', created: 0, updated: 1, restored: 1, deleted: 1, unchanged: 0 }],
      conflicts: [],
      conflictCount: 0,
      replayed: false,
    })
    expect((await users.all()).map(({ email, role }) => [email, role])).toEqual([
      ['ann', null],
      ['bob', null],
      ['cyd', null],
    ])
    const entries = await storage.audit.find({ request_id: 'cleanup' })
    expect(entries.map(({ actor, operation }) => `${actor} ${operation}`).sort()).toEqual([
      'olga restore',
      'olga soft_delete',
      'olga update',
    ])
    // A second time everything is as it was already.
    const again = await storage.revert({ actor: 'mallory', since })
    expect(again.components).toEqual([{ component: 'users', created: 0, updated: 0, restored: 0, deleted: 0, unchanged: 3 }])
  })

  test('later changes of others are refused with the list, or left out when that is asked for', async () => {
    const { users, storage } = await house()
    const [ann, bob] = await users.insertMany([{ email: 'ann' }, { email: 'bob' }])
    for (const user of [ann, bob]) await users.update(user?.id ?? 0, { role: 'admin' }, { requestId: 'bad' })
    await users.update(ann?.id ?? 0, { org: 'x' }, { actor: 'helen' })
    const [last] = await users.history(ann?.id ?? 0)
    const refused = await storage.revert({ requestId: 'bad' })
    expect(refused).toMatchObject({ applied: false, conflictCount: 1 })
    expect(refused.conflicts).toEqual([
      {
        component: 'users',
        recordId: ann?.id,
        reason: 'changed_later',
        message: `users ${ann?.id} was changed later by helen.`,
        entryId: last?.id,
      },
    ])
    expect((await users.all()).map(({ role }) => role)).toEqual(['admin', 'admin'])
    expect(await storage.revert({ requestId: 'bad' }, { conflicts: 'skip' })).toMatchObject({ applied: true, conflictCount: 1 })
    expect((await users.all()).map(({ role }) => role)).toEqual(['admin', null])
  })

  test('a value that somebody else took meanwhile stays theirs', async () => {
    const { users, storage } = await house()
    const ann = await users.insert({ email: 'ann' })
    await users.update(ann.id, { email: 'anna' }, { requestId: 'bad' })
    await users.insert({ email: 'ann' })
    expect((await storage.revert({ requestId: 'bad' })).conflicts).toMatchObject([{ reason: 'taken', recordId: ann.id }])
  })

  test('an import and a batch are undone by their job, or by the unit that wrote them', async () => {
    const { users, storage } = await house()
    await users.insert({ email: 'old' })
    const csv = (...emails: string[]) => ({ users: Readable.from([Buffer.from(`email\n${emails.join('\n')}\n`)]) })
    const { transactionId } = await storage.import(csv('a', 'b'))
    expect(await storage.import(csv('c'), { dryRun: true })).toMatchObject({ transactionId: null })
    const { id } = await storage.startImport(csv('c', 'd'))
    await storage.jobs.wait(id)
    expect(await users.count()).toBe(5)
    expect((await storage.revert({ import: id })).components).toMatchObject([{ deleted: 2 }])
    expect((await storage.revert({ batch: transactionId ?? '' })).components).toMatchObject([{ deleted: 2 }])
    expect((await users.all()).map(({ email }) => email)).toEqual(['old'])
    await storage.transaction(async () => {
      await users.updateMany({}, { role: 'x' })
      await users.insert({ email: 'new' })
    })
    const [entry] = await users.history((await users.findOne({ where: { email: 'new' } }))?.id ?? 0)
    expect(await storage.revert({ batch: entry?.transaction_id ?? '' })).toMatchObject({ components: [{ updated: 1, deleted: 1 }] })
    expect(await rejectionOf(storage.revert({ import: 'none' }))).toBeInstanceOf(NotFoundError)
  })

  test('thousands of records go in pieces, by a thread of its own where the engine has one, and come back', {
    timeout: 60_000,
  }, async () => {
    const { users, storage } = await house()
    const emails = Array.from({ length: 2_100 }, (_, index) => ({ email: `user ${index}` }))
    await users.insertMany(emails, { requestId: 'big' })
    const report = await storage.revert({ requestId: 'big' })
    expect(report.components).toMatchObject([{ deleted: 2_100 }])
    expect(await users.count()).toBe(0)
    expect(await storage.revert({ requestId: report.requestId })).toMatchObject({ components: [{ restored: 2_100 }] })
    expect(await users.count()).toBe(2_100)
    const tooMany = await rejectionOf(storage.revert({ requestId: 'big' }, { atMost: 2_000 }))
    expect(tooMany).toMatchObject({ code: 'too_many_matches' })
    expect(tooMany).toBeInstanceOf(ConflictError)
  })

  test('what the log cannot tell is a conflict: erased, lost secrets, writes past the log, components that are no more', async () => {
    const { users, accounts, storage } = await house()
    const { id } = await accounts.insert({ name: 'a', password_hash: 'x' })
    await storage.transaction(
      async ({ kysely }) => {
        await accounts.purge(id)
        await users.insert({ email: 'fresh' })
        await kysely
          .insertInto('users')
          .values({ id: 99, email: 'raw', row_version: 'v', created_at: new Date().toISOString(), updated_at: new Date().toISOString() })
          .execute()
      },
      { unaudited: true, requestId: 'odd' },
    )
    const { conflicts } = await storage.revert({ requestId: 'odd' })
    expect(conflicts.map(({ reason, component, recordId }) => [reason, component, recordId])).toEqual([
      ['not_recorded', 'db', null],
      ['lost_secret', 'accounts', id],
    ])
    const report = await storage.revert({ requestId: 'odd' }, { conflicts: 'skip' })
    expect(report.components).toMatchObject([{ component: 'users', deleted: 1 }])
  })

  test('hooks run, and what they throw leaves everything as it was', async () => {
    const { users, storage } = await house()
    await users.insertMany([{ email: 'a' }, { email: 'b' }], { requestId: 'r' })
    const seen: string[] = []
    users.beforeDelete(({ record, actor }) => {
      seen.push(`${actor} ${record.email}`)
      if (record.email === 'b') throw new ValidationError('b stays')
    })
    expect(await rejectionOf(storage.revert({ requestId: 'r' }, { actor: 'olga' }))).toBeInstanceOf(ValidationError)
    expect(seen).toEqual(['olga a', 'olga b'])
    expect(await users.count()).toBe(2)
  })

  test('rules and tenants hold: nobody undoes what they could not see in the log, or could not write', async () => {
    const Desk = defineModel('desks', { org: Type.String(), name: Type.String() }, { tenant: 'org' })
    const desks = new ModelAccessor(Desk, 'desks')
    const rules = defineAccess(Desk, { read: true, create: true, update: 'boss', delete: 'boss' })
    const storage = await open([desks], { access: [rules] })
    const red = { id: 1, tenant: 'red', roles: ['boss'] }
    await desks.insert({ org: 'red', name: 'r' }, { requestId: 'r' })
    await desks.insert({ org: 'blue', name: 'b' }, { requestId: 'r' })
    await desks.insert({ org: 'blue', name: 'c' }, { requestId: 'blue' })
    const clerk = { ...red, roles: ['clerk'] }
    expect(await rejectionOf(storage.revert({ requestId: 'r' }, { principal: clerk }))).toBeInstanceOf(ForbiddenError)
    expect(await rejectionOf(storage.revert({ requestId: 'blue' }, { principal: red }))).toBeInstanceOf(NotFoundError)
    expect(await storage.revert({ requestId: 'r' }, { principal: red })).toMatchObject({ components: [{ deleted: 1 }] })
    expect((await desks.all()).map(({ name }) => name)).toEqual(['b', 'c'])
  })

  describe('a selection that says nothing, or too much, is refused', () => {
    const cases: [RevertSelection, RevertChangesOptions, typeof InvalidQueryError | typeof UsageError][] = [
      [{}, {}, InvalidQueryError],
      [{ actor: 'a' }, {}, InvalidQueryError],
      [{ requestId: 'a', batch: 'b' }, {}, InvalidQueryError],
      [{ requestId: 'a' }, { requestId: 'a' }, InvalidQueryError],
      [{ requestId: 'a' }, { conflicts: 'ignore' as never }, InvalidQueryError],
      [{ requestId: 'a' }, { atMost: 0 }, InvalidQueryError],
      [{ requestId: 'a' }, { atMost: 1_000_001 }, InvalidQueryError],
      [{ request: 'a' } as never, {}, UsageError],
      [{ requestId: 'a' }, { dry: true } as never, UsageError],
      [{ actor: 'a', since: new Date(Number.NaN) }, {}, InvalidQueryError],
    ]
    test.each(cases)('%j %j', async (selection, options, error) => {
      const { storage } = await house()
      expect(await rejectionOf(storage.revert(selection, options))).toBeInstanceOf(error)
    })
  })

  test('what the log knows nothing of is not found', async () => {
    const { storage } = await house()
    expect(await rejectionOf(storage.revert({ requestId: 'nothing' }))).toBeInstanceOf(NotFoundError)
  })
})
