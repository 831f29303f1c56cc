import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import {
  type AuditEntry,
  Bytes,
  DateTime,
  Decimal,
  Default,
  defineModel,
  Int64,
  Json,
  ModelAccessor,
  Ref,
  type Storage,
} from '@strongroom/core'
import { describeEngines, needs } from '@strongroom/testkit'
import { Type } from 'typebox'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { canonicalJson } from '../src/audit/canonical.ts'
import { rejectionOf, storagesOn } from './support.ts'

const User = defineModel(
  'users',
  {
    name: Type.String(),
    role: Default(Type.String(), 'operator'),
    balance: Type.Optional(Int64()),
    price: Type.Optional(Decimal({ precision: 10, scale: 2 })),
    seen: Type.Optional(DateTime()),
    data: Type.Optional(Json()),
    key: Type.Optional(Bytes()),
    token: Type.Optional(Type.String({ minLength: 3, pattern: '^[^!]*$' })),
    vault: Type.Optional(Json()),
  },
  { softDelete: true, unique: [['name'], ['token']], secret: ['token', 'vault'], schemaVersion: 3 },
)
const Post = defineModel('posts', { title: Type.String(), author_id: Ref(() => User, { onDelete: 'cascade' }) }, { id: 'text' })

interface StoredEntry {
  readonly id: number
  readonly before: string | null
  readonly after: string | null
  readonly salt: Uint8Array
  readonly payload_hash: Uint8Array
  readonly schema_version: number
}

describeEngines('the audit log', (engine) => {
  const open = storagesOn(engine)
  let users: ModelAccessor<typeof User>
  let posts: ModelAccessor<typeof Post>
  let storage: Storage

  beforeEach(async () => {
    users = new ModelAccessor(User, 'people')
    posts = new ModelAccessor(Post, 'posts')
    storage = await open([users, posts])
  })

  const oldestFirst = async (): Promise<AuditEntry[]> => (await storage.audit.find()).reverse()
  const stored = async (): Promise<StoredEntry[]> =>
    (await storage.kysely.selectFrom('strongroom_audit_log').selectAll().orderBy('id').execute()) as never

  describe('an entry', () => {
    test('tells what was before and after, in wire form', async () => {
      const seen = new Date('1969-07-20T20:17:40.123Z')
      const { id } = await users.insert(
        { name: 'Ann', balance: 2n ** 60n, price: '1.5', seen, data: { b: 1, a: [null] }, key: new Uint8Array([255]) },
        { actor: 'root', requestId: 'r1' },
      )
      await users.update(id, { name: 'Anna', data: null })
      await storage.audit.waitUntilSealed()
      const before = {
        id,
        name: 'Ann',
        role: 'operator',
        balance: '1152921504606846976',
        price: '1.50',
        seen: seen.toISOString(),
        data: { b: 1, a: [null] },
        key: '/w==',
        token: '[secret]',
        vault: '[secret]',
        deleted_at: null,
      }
      const [create, update] = await oldestFirst()
      expect(create).toEqual({
        id: expect.any(Number),
        timestamp: expect.any(Date),
        component: 'people',
        record_id: id,
        operation: 'create',
        actor: 'root',
        before: null,
        after: before,
        request_id: 'r1',
        transaction_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        tenant: null,
        epoch: 1,
        position: 1,
        sealed: true,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      })
      expect(update).toMatchObject({ operation: 'update', before, after: { ...before, name: 'Anna', data: null } })
      expect((await stored()).map((entry) => Number(entry.schema_version))).toEqual([3, 3])
    })

    test('comes once for each record on every path', async () => {
      const expected: [() => Promise<unknown>, string[]][] = [
        [() => users.insert({ name: 'a' }), ['create 1']],
        [() => users.insertMany([{ name: 'b' }, { name: 'c' }]), ['create 2', 'create 3']],
        [() => users.save({ name: 'd' }), ['create 4']],
        [() => users.save({ id: 4, role: 'x' }), ['update 4']],
        [() => users.update(1, { role: 'x' }), ['update 1']],
        [() => users.update(1, { role: 'x' }), []],
        [() => users.replace(1, { name: 'a' }), ['update 1']],
        [() => users.updateMany({ name: { in: ['a', 'b'] } }, { role: 'y' }), ['update 1', 'update 2']],
        [
          () => users.upsertMany([{ name: 'a', role: 'z' }, { name: 'e' }, { name: 'b', role: 'y' }], { on: ['name'] }),
          ['create 5', 'update 1'],
        ],
        [() => users.delete(1), ['soft_delete 1']],
        [() => users.delete(1), []],
        [() => users.deleteMany([2, 3, 99]), ['soft_delete 2', 'soft_delete 3']],
        [() => users.restore(1), ['restore 1']],
        [() => users.restoreMany([1, 2]), ['restore 2']],
        [() => users.purge(3), ['purge 3']],
        [() => users.purgeMany({ name: 'd' }), ['purge 4']],
        [() => posts.insertMany(['p', 'q'].map((id) => ({ id, title: id, author_id: 1 }))), ['create p', 'create q']],
        [() => users.delete(1), ['delete p', 'delete q', 'soft_delete 1']],
        [
          () => storage.transaction(() => Promise.all([users.update(2, { role: '1' }), users.update(2, { role: '2' })])),
          ['update 2', 'update 2'],
        ],
        [() => users.insert({ name: 'dry' }, { dryRun: true }), []],
        [() => rejectionOf(users.insert({ name: 'b' })), []],
      ]
      let last = 0
      for (const [write, lines] of expected) {
        await write()
        const fresh = (await oldestFirst()).filter((entry) => entry.id > last)
        last = Math.max(last, ...fresh.map((entry) => entry.id))
        expect(fresh.map((entry) => `${entry.operation} ${entry.record_id}`).toSorted()).toEqual(lines)
        expect(new Set(fresh.map((entry) => entry.transaction_id)).size).toBeLessThanOrEqual(1)
      }
    })

    test('has a record id of the model’s type', async () => {
      await users.insert({ name: 'a' })
      await posts.insert({ id: '7', title: 't', author_id: 1 })
      expect((await oldestFirst()).map((entry) => entry.record_id)).toEqual([1, '7'])
    })

    test('belongs to its data: the payload hash can be computed from what is stored', async () => {
      await users.insert({ name: 'Ünïcödé 👻\n"', data: { z: 1e21, a: { '€': -0.5, '\r': [] } }, balance: -1n })
      await users.update(1, { name: 'b' })
      await users.delete(1)
      await users.purge(1)
      const salts = new Set<string>()
      for (const { before, after, salt, payload_hash } of await stored()) {
        const payload = sortedJson({ before: before && JSON.parse(before), after: after && JSON.parse(after) })
        const digest = createHash('sha256').update(salt).update(payload).digest('hex')
        expect(Buffer.from(payload_hash).toString('hex')).toBe(digest)
        for (const image of [before, after]) if (image !== null) expect(image).toBe(sortedJson(JSON.parse(image)))
        expect(salt).toHaveLength(16)
        salts.add(Buffer.from(salt).toString('hex'))
      }
      expect(salts.size).toBe(4)
    })

    const isSorted = (entries: readonly AuditEntry[]): boolean =>
      entries.every((entry, index) => index === 0 || entry.timestamp >= (entries[index - 1]?.timestamp ?? entry.timestamp))

    test('comes in time order for each record, also within a millisecond', async () => {
      await users.insertMany([{ name: 'a' }, { name: 'b' }])
      await Promise.all(Array.from({ length: 50 }, (_, index) => users.update(1 + (index % 2), { role: `${index}` })))
      const entries = await oldestFirst()
      for (const id of [1, 2]) expect(isSorted(entries.filter((entry) => entry.record_id === id))).toBe(true)
    })

    needs(engine, 'sharedCommits', () => {
      test('comes in time order altogether where units run one at a time', async () => {
        await users.insertMany(Array.from({ length: 50 }, (_, index) => ({ name: `n${index}` })))
        await Promise.all(Array.from({ length: 50 }, (_, index) => users.update(index + 1, { role: 'x' })))
        expect(isSorted(await oldestFirst())).toBe(true)
      })
    })
  })

  describe('can be asked', () => {
    beforeEach(async () => {
      await users.insert({ name: 'a' }, { actor: 'ann', requestId: 'r1' })
      await posts.insert({ id: '1', title: 't', author_id: 1 }, { actor: 'bob', requestId: 'r1' })
      await users.update(1, { role: 'x' }, { actor: 'bob', requestId: 'r2' })
      await users.delete(1, { actor: 'ann' })
      // an entry that is read twice is the same only when its position is settled
      await storage.audit.waitUntilSealed()
    })

    test('by component, record, actor, operation, request and transaction, newest first', async () => {
      const [create, post, update, removed, deleted] = await oldestFirst()
      const ids = async (query: object): Promise<number[]> => (await storage.audit.find(query)).map((entry) => entry.id)
      const of = (...entries: (AuditEntry | undefined)[]): unknown[] => entries.map((entry) => entry?.id)
      expect(await ids({})).toEqual(of(deleted, removed, update, post, create))
      expect(await ids({ component: 'people' })).toEqual(
        (await oldestFirst())
          .filter((entry) => entry.component === 'people')
          .map((entry) => entry.id)
          .reverse(),
      )
      expect(await ids({ component: 'people', record_id: 1, operation: 'update' })).toEqual(of(update))
      expect(await ids({ component: 'posts', record_id: '1', operation: 'create' })).toEqual(of(post))
      expect(await ids({ actor: 'bob' })).toEqual(of(update, post))
      expect(await ids({ operation: 'create', actor: 'ann' })).toEqual(of(create))
      expect(await ids({ request_id: 'r1' })).toEqual(of(post, create))
      expect((await ids({ transaction_id: deleted?.transaction_id })).toSorted()).toEqual(of(removed, deleted).toSorted())
      expect(await ids({ component: 'nobody' })).toEqual([])
      expect(await ids({ limit: 2, offset: 1 })).toEqual(of(removed, update))
      expect(await ids({ limit: 0 })).toEqual([])
      expect([await storage.audit.count({ actor: 'bob' }), await storage.audit.count()]).toEqual([2, 5])
      expect(await storage.audit.findOne({ actor: 'bob' })).toEqual(update)
      expect(await storage.audit.get(update?.id ?? 0)).toEqual(update)
      expect([await storage.audit.get(999), await storage.audit.get('1' as never)]).toEqual([null, null])
      const streamed: AuditEntry[] = []
      for await (const entry of storage.audit.stream({ component: 'people' })) streamed.push(entry)
      expect(streamed).toEqual(await storage.audit.find({ component: 'people' }))
    })

    test.each([{}, { since: new Date(0) }])('in pages that a cursor walks, newest first: %j', async (query) => {
      const all = await storage.audit.find(query)
      const walked: AuditEntry[] = []
      let page = await storage.audit.page({ ...query, limit: 2 })
      walked.push(...page.entries)
      while (page.next !== undefined) {
        await users.insert({ name: `meanwhile ${walked.length}` })
        page = await storage.audit.page({ ...query, limit: 2, after: page.next })
        walked.push(...page.entries)
      }
      expect(walked).toEqual(all)
      expect(await rejectionOf(storage.audit.page({ after: 'forged' }))).toMatchObject({ code: 'invalid_query' })
    })

    test('by time: from an instant on, and before one', async () => {
      const entries = await oldestFirst()
      const middle = entries[2]?.timestamp ?? new Date()
      const since = await storage.audit.find({ since: middle })
      const until = await storage.audit.find({ until: middle })
      expect(since.every((entry) => entry.timestamp >= middle) && until.every((entry) => entry.timestamp < middle)).toBe(true)
      expect([...since, ...until].map((entry) => entry.id)).toEqual(entries.map((entry) => entry.id).reverse())
      const all = [...since, ...until]
      const [always, counts] = [{ since: new Date(0) }, [since.length, until.length]]
      expect([await storage.audit.count({ since: middle }), await storage.audit.count({ until: middle })]).toEqual(counts)
      expect(await storage.audit.find({ ...always, limit: 2, offset: 1 })).toEqual(all.slice(1, 3))
      expect(await storage.audit.find({ ...always, component: 'people' })).toEqual(all.filter(({ component }) => component === 'people'))
      const streamed: AuditEntry[] = []
      for await (const entry of storage.audit.stream(always)) streamed.push(entry)
      expect(streamed).toEqual(all)
    })

    test('after the clock was set back: each record in the order of its writes, a range of time by time', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: new Date('2030-01-01T12:00:00Z') })
      try {
        const notes = defineModel('notes', { text: Type.String() })
        const url = await engine.freshUrl()
        const [ahead, behind] = [new ModelAccessor(notes, 'notes'), new ModelAccessor(notes, 'notes')]
        const own = [await open([ahead], { url }), await open([behind], { url })]
        const { id } = await ahead.insert({ text: 'a' }, { requestId: 'r' })
        vi.setSystemTime(new Date('2030-01-01T11:00:00Z'))
        await behind.update(id, { text: 'b' }, { requestId: 'r' })
        const since = new Date('2030-01-01T00:00:00Z')
        const operations = async (query: object) => (await own[0]?.audit.find(query))?.map((entry) => entry.operation)
        for (const query of [{}, { component: 'notes' }, { component: 'notes', record_id: id, since }, { request_id: 'r', since }])
          expect(await operations(query)).toEqual(['update', 'create'])
        expect(await operations({ since })).toEqual(['create', 'update'])
        expect(await operations({ until: new Date('2030-01-02T00:00:00Z'), limit: 1 })).toEqual(['create'])
      } finally {
        vi.useRealTimers()
      }
    })

    test.each([
      [{ comp: 'x' }],
      [{ operation: 'created' }],
      [{ since: 'yesterday' }],
      [{ until: new Date(Number.NaN) }],
      [{ limit: -1 }],
      [{ offset: 1.5 }],
      [{ actor: 7 }],
      [{ component: 'a\0' }],
      [{ actor: '\uD800' }],
    ])('and refuses %j', async (query) => {
      expect(await rejectionOf(storage.audit.find(query as never))).toMatchObject({ code: 'invalid_query' })
      expect(await rejectionOf(storage.audit.count(query as never))).toMatchObject({ code: 'invalid_query' })
    })
  })

  describe('secrets', () => {
    const canary = 'CANARY-7f3a'

    test('stand in no cause of an error, which a log may print whole', async () => {
      const Key = defineModel('keys', { token: Type.String(), note: Type.String() }, { unique: [['token']], secret: ['token'] })
      const keys = new ModelAccessor(Key, 'keys')
      const own = await open([keys])
      await keys.insert({ token: canary, note: 'a' })
      const errors = [
        await rejectionOf(keys.insert({ token: canary, note: 'b' })),
        await rejectionOf(
          own.transaction(
            (session) =>
              session.kysely
                .insertInto('keys')
                .values({ token: `${canary}-2`, note: null } as never)
                .execute(),
            {
              unaudited: true,
            },
          ),
        ),
      ]
      expect(errors[0]).toMatchObject({ code: 'unique_conflict', fields: ['token'] })
      expect(inspect(errors, { depth: 10, showHidden: true })).not.toContain(canary)
    })

    test('stand in no entry and in no error', async () => {
      const said: unknown[] = []
      const noisy = new ModelAccessor(User, 'people')
      const other = new ModelAccessor(Post, 'posts')
      const own = await open([noisy, other], {
        logger: {
          info: (...args: unknown[]) => said.push(args),
          warn: (...args: unknown[]) => said.push(args),
          error: (...args: unknown[]) => said.push(args),
        } as never,
      })
      const { id } = await noisy.insert({ name: 'a', token: canary, vault: { [canary]: canary } })
      await noisy.update(id, { token: `${canary}-2` })
      await noisy.update(id, { vault: [canary] })
      await noisy.delete(id)
      await noisy.restore(id)
      await noisy.insert({ name: 'b', token: `${canary}-3` })
      const failures = [
        () => noisy.insert({ name: 'c', token: `${canary}-3` }),
        () => noisy.insertMany([{ name: 'c', token: `${canary}-3` }]),
        () => noisy.update(id, { token: `${canary}-3` }),
        () => noisy.update(id, { token: `${canary}!` }),
        () => noisy.update(id, { token: { [canary]: 1 } as never }),
        () => noisy.update(id, { vault: { [canary]: Number.NaN } as never }),
        () => noisy.update(id, { vault: { [canary]: { deep: () => canary } } as never }),
        () => noisy.find({ where: { token: canary } as never }),
        () => noisy.find({ where: { token: { eq: canary } } as never }),
        () => noisy.upsertMany([{ name: 'x', token: `${canary}!` }], { on: ['token'] }),
      ]
      for (const failure of failures) {
        const error = (await rejectionOf(failure())) as Error
        expect(`${error} ${error.stack} ${JSON.stringify(error)}`).not.toContain(canary)
      }
      await noisy.purge(id)
      const log = await own.kysely.selectFrom('strongroom_audit_log').selectAll().execute()
      expect(log.length).toBeGreaterThan(6)
      expect(JSON.stringify([log, said, await own.audit.find()])).not.toContain(canary)
      expect(await noisy.findOne({ where: { name: 'b' } })).toMatchObject({ token: `${canary}-3` })
    })

    test('that change leave an entry all the same', async () => {
      await users.insert({ name: 'a', token: canary })
      await users.update(1, { token: 'another' })
      const [, update] = await oldestFirst()
      expect(update).toMatchObject({ operation: 'update', before: { token: '[secret]' }, after: { token: '[secret]' } })
    })
  })
})

describe('canonical JSON', () => {
  test('is that of RFC 8785', () => {
    const value = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    )
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  test('sorts members by UTF-16 code units', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])))
    expect(Object.keys(JSON.parse(text)).filter((name) => name !== '1')).toEqual([
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\ud83d\ude00',
      '\ufb33',
    ])
    expect(text.startsWith('{"\\r":0,"1":0,')).toBe(true)
  })

  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the number %s as %s', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text)
  })
})

/** RFC 8785 once more, by other means than the library's. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join(',')}}`
}
