import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import {
  BadRequestError,
  ConflictError,
  etagOf,
  NotFoundError,
  PreconditionFailedError,
  PreconditionRequiredError,
  ValidationError,
} from '../src/index.ts'
import { ada, clientOf, rejectionOf, startServer } from './support.ts'

for (const responses of ['bare', 'envelope'] as const) {
  describeEngines(`records of a server that answers in ${responses} style`, (engine) => {
    const start = () => startServer(engine, { responses }, { responses })

    test('values travel in JSON form, and a record is made, read, changed, deleted and restored', async () => {
      const { client } = await start()
      const values = { visits: '9007199254740993', balance: '12.50', seen: '2026-01-31T12:00:00.000Z', born: '1815-12-10', photo: 'AQID' }
      const made = await client.users.create({ ...ada, ...values, settings: { theme: 'dark' }, password_hash: 'secret' })
      expect(made).toMatchObject({ ...ada, ...values, id: 1, role: 'operator', created_by: 'tester', deleted_at: null })
      expect(made).not.toHaveProperty('password_hash')
      expect(await client.users.get(1)).toEqual(made)
      expect(await client.users.update(1, { age: 36 })).toMatchObject({ age: 36, balance: '12.50' })
      expect(await client.users.save(1, { ...ada, age: 37 }, { replace: true })).toMatchObject({ age: 37, balance: null })
      expect((await client.users.remove(1)).deleted_at).not.toBeNull()
      expect(await client.users.get(1)).toBeNull()
      expect((await client.users.get(1, { includeDeleted: true }))?.name).toBe('Ada')
      expect(await client.users.restore(1)).toBe(true)
      expect(await client.users.restore(1)).toBe(false)
      expect(await client.users.remove(1, { purge: true })).toMatchObject({ id: 1 })
      expect(await client.users.get(1, { includeDeleted: true })).toBeNull()
    })

    test('a record is erased, with its history, and one that never was is not found', async () => {
      const { client } = await start()
      const made = await client.users.create(ada)
      await client.users.update(1, { age: 36 })
      expect(await client.users.erase(made, { ifMatch: '*' })).toBeUndefined()
      expect(await client.users.get(1, { includeDeleted: true })).toBeNull()
      const { entries } = await client.users.history(1)
      expect(entries[0]).toMatchObject({ operation: 'erase' })
      expect(entries.flatMap(({ before, after }) => [before, after]).filter(Boolean)).toEqual([])
      await expect(client.users.erase(99)).rejects.toBeInstanceOf(NotFoundError)
      const kept = await client.users.create({ ...ada, email: 'kept@example.com' })
      await client.users.erase(kept.id, { dryRun: true })
      expect(await client.users.get(kept.id)).toMatchObject({ name: 'Ada' })
    })

    test('a page says where it stands, and pages follow one another to the end', async () => {
      const { client } = await start()
      await client.countries.create(['a', 'b', 'c', 'd', 'e'].map((code) => ({ code, name: code.toUpperCase() })))
      const first = await client.countries.list({ orderBy: '-name', limit: 2, fields: ['code'] })
      expect(first).toMatchObject({ records: [{ code: 'e' }, { code: 'd' }], total: 5, next: expect.any(String) })
      expect(first).not.toHaveProperty('previous')
      const second = await client.countries.list({ orderBy: '-name', limit: 2, after: first.next ?? '', count: 'none' })
      expect(second.records.map(({ code }) => code)).toEqual(['c', 'b'])
      expect(second).not.toHaveProperty('total')
      expect((await client.countries.list({ orderBy: '-name', limit: 2, before: second.previous ?? '' })).records).toMatchObject(
        first.records,
      )
      for (const start of [{}, { offset: 1 }]) {
        const codes: string[] = []
        for await (const { records } of client.countries.pages({ limit: 2, ...start })) codes.push(...records.map(({ code }) => code))
        expect(codes.join('')).toBe('abcde'.slice(start.offset ?? 0))
      }
      const streamed: string[] = []
      for await (const { name } of client.countries.stream({ where: { code: { ne: 'c' } }, limit: 1 })) streamed.push(name)
      expect(streamed).toEqual(['A', 'B', 'D', 'E'])
    })

    test('pages follow one another also where a filter is too long for links', async () => {
      const { client } = await start()
      const codes = Array.from({ length: 400 }, (_none, index) => `${1_000 + index} has a long code`)
      await client.countries.create(codes.map((code) => ({ code, name: code })))
      const where = { code: { in: codes } }
      const streamed: string[] = []
      for await (const { code } of client.countries.stream({ where, limit: 100 })) streamed.push(code)
      expect(streamed).toEqual(codes)
      const last = await client.countries.list({ where, limit: 100, orderBy: '-code' })
      const second = await client.countries.list({ where, limit: 100, orderBy: '-code', after: last.next ?? '' })
      const back = await client.countries.list({ where, limit: 100, orderBy: '-code', before: second.previous ?? '' })
      expect(back.records).toEqual(last.records)
      expect(back).not.toHaveProperty('previous')
    })

    test('the past: history, records as they were, differences, and back', async () => {
      const { client, users } = await start()
      const made = await client.users.create({ ...ada, password_hash: 'secret' })
      for (const age of [1, 2, 3]) await client.users.update(1, { age })
      const first = await client.users.history(1, { limit: 3 })
      const rest = await client.users.history(1, { after: first.next ?? '' })
      expect(rest).toEqual({ entries: [expect.objectContaining({ operation: 'create', record_id: 1, before: null })] })
      const [last, before] = first.entries
      expect(last).toMatchObject({ before: { age: 2 }, after: { age: 3 } })
      const changed = await users.get(1)
      const now = new Date()
      expect((await client.users.get(1, { at: now }))?.age).toBe(changed?.age)
      expect((await client.users.list({ at: now.toISOString(), where: { age: { gte: 3 } } })).records).toMatchObject([{ name: 'Ada' }])
      expect(await client.users.get(1, { at: '2020-01-01T00:00:00Z' })).toBeNull()
      const diff = await client.users.diff(1, { from: '2020-01-01T00:00:00Z' })
      expect(diff).toMatchObject({ from: null, to: { age: 3 } })
      expect(diff?.changes).toContainEqual({ field: 'age', from: null, to: 3 })
      expect(await client.users.diff(9, { from: now })).toBeNull()
      const reverted = await client.users.revert(1, { to: before?.id ?? 0 })
      expect(reverted.age).toBe(2)
      expect((await client.users.revert(reverted, { to: now })).age).toBe(3)
      expect(await rejectionOf(client.users.revert(made, { to: now }))).toBeInstanceOf(PreconditionFailedError)
      expect(await rejectionOf(client.users.history(9))).toBeInstanceOf(NotFoundError)
      await expect(async () => client.users.get(1, { at: new Date(Number.NaN) })).rejects.toThrow(TypeError)
    })

    test('aggregates, and changes many with a filter and a cap', async () => {
      const { client } = await start()
      await client.users.create(
        [1, 2, 3].map((age) => ({ name: `U${age}`, email: `u${age}@example.com`, age, visits: '9007199254740993' })),
      )
      expect(await client.users.aggregate({ groupBy: ['role'], measures: ['count', 'avg:age', 'sum:visits'] })).toEqual([
        { role: 'operator', count: 3, avg_age: 2, sum_visits: '27021597764222979' },
      ])
      const changed = await client.users.updateMany({ age: { gte: 2 } }, { role: 'admin' }, { atMost: 2 })
      expect(changed.map(({ name, role }) => [name, role])).toEqual([
        ['U2', 'admin'],
        ['U3', 'admin'],
      ])
      const tooMany = await rejectionOf(client.users.removeMany({ age: { gte: 1 } }, { atMost: 2 }))
      expect(tooMany).toBeInstanceOf(ConflictError)
      expect(tooMany).toMatchObject({ code: 'too_many_matches', status: 409 })
      expect(await client.users.removeMany({ role: 'admin' }, { atMost: 2, purge: true })).toBe(2)
      expect((await client.users.list({ includeDeleted: true })).total).toBe(1)
    })

    test('errors are classes with what the server says', async () => {
      const { client, baseUrl } = await start()
      await client.users.create(ada)
      const invalid = await rejectionOf(client.users.create({ name: '', email: 'x' }, { requestId: 'r-1' }))
      expect(invalid).toBeInstanceOf(ValidationError)
      expect(invalid).toMatchObject({ code: 'validation_failed', status: 422, requestId: 'r-1', name: 'ValidationError' })
      expect(invalid).toHaveProperty('issues', expect.arrayContaining([{ path: 'email', message: expect.any(String) }]))
      const taken = await rejectionOf(client.users.create(ada))
      expect(taken).toBeInstanceOf(ConflictError)
      expect(taken).toMatchObject({ code: 'unique_conflict', issues: [{ path: 'email' }] })
      expect(await rejectionOf(client.users.update(9, { age: 1 }))).toBeInstanceOf(NotFoundError)
      const nobody = clientOf(baseUrl, { responses, actor: undefined })
      expect(await rejectionOf(nobody.users.remove(1))).toBeInstanceOf(BadRequestError)
    })
  })
}

describeEngines('a client', (engine) => {
  test('an array is inserted all or none, and save makes records at ids that the client chooses', async () => {
    const { client } = await startServer(engine)
    const both = await client.users.create([ada, { name: 'Bob', email: 'bob@example.com' }])
    expect(both.map(({ name }) => name)).toEqual(['Ada', 'Bob'])
    const odd = 'a/b ?#ä%'
    expect(await client.countries.save(odd, { name: 'Odd' })).toEqual({ code: odd, name: 'Odd', limit: 0 })
    expect(await client.countries.update(odd, { limit: 3 })).toMatchObject({ limit: 3 })
    expect(await client.countries.get(odd)).toEqual({ code: odd, name: 'Odd', limit: 3 })
  })

  test('reads along what references lead to and what points here', async () => {
    const { client } = await startServer(engine)
    const { id } = await client.users.create(ada)
    await client.posts.create({ title: 'Hello', owner_id: id })
    const [post] = (await client.posts.list({ fields: ['title'], include: { owner: true } })).records
    expect(post).toEqual({ title: 'Hello', owner: expect.objectContaining({ name: 'Ada' }) })
    const user = await client.users.get(id, { fields: ['name'], include: { posts: true } })
    expect(user).toEqual({ name: 'Ada', posts: [expect.objectContaining({ title: 'Hello' })] })
  })

  test('a record that was read is only changed while it is as it was read', async () => {
    const { client } = await startServer(engine, { requireIfMatch: true })
    const mine = await client.users.create(ada)
    const theirs = await client.users.get(1)
    expect(etagOf(mine)).toMatch(/^".+"$/)
    expect(theirs && etagOf(theirs)).toBe(etagOf(mine))
    const changed = await client.users.update(mine, { age: 1 })
    expect(await rejectionOf(client.users.update(mine, { age: 2 }))).toBeInstanceOf(PreconditionFailedError)
    expect(await rejectionOf(client.users.remove(mine))).toBeInstanceOf(PreconditionFailedError)
    expect(await rejectionOf(client.users.update(1, { age: 2 }))).toBeInstanceOf(PreconditionRequiredError)
    changed.age = 3
    const saved = await client.users.save(changed)
    expect(saved.age).toBe(3)
    expect(await client.users.refresh(saved)).toBe(saved)
    expect(await client.users.refresh(mine)).toEqual(saved)
    const removed = await client.users.remove(saved)
    expect(removed.deleted_at).not.toBeNull()
    expect(await client.users.refresh(saved)).toBeNull()
    expect(await rejectionOf(client.users.restore(saved))).toBeInstanceOf(PreconditionFailedError)
    expect(await client.users.restore(removed)).toBe(true)
    await client.users.remove(1, { ifMatch: '*' })
    const part = await client.users.get(1, { includeDeleted: true, include: { posts: true } })
    for (const unknown of [{ ...saved }, ...(part ? [part] : [])]) {
      expect(await rejectionOf(client.users.update(unknown, { age: 4 }))).toBeInstanceOf(TypeError)
    }
  })

  test('names the actor and the request, and leaves nothing of a dry run', async () => {
    const { client, app } = await startServer(engine)
    expect(await client.users.create(ada, { dryRun: true })).toMatchObject({ created_by: 'tester' })
    expect((await client.users.list()).total).toBe(0)
    await client.users.create(ada, { actor: 'grace', requestId: 'r-7' })
    expect(await app.storage.audit.find({ component: 'users' })).toMatchObject([{ actor: 'grace', request_id: 'r-7', operation: 'create' }])
  })

  test('does a write once for a key of the caller', async () => {
    const { client } = await startServer(engine)
    const first = await client.posts.create({ title: 'Hello' }, { idempotencyKey: 'one' })
    expect(await client.posts.create({ title: 'Hello' }, { idempotencyKey: 'one' })).toEqual(first)
    expect((await client.posts.list()).total).toBe(1)
  })

  test('never takes an id for another path', async () => {
    const { client } = await startServer(engine)
    await client.countries.create({ code: 'x', name: 'X' })
    for (const id of ['', '.', '..']) {
      expect(await client.countries.get(id)).toBeNull()
      expect(await rejectionOf(client.countries.remove(id))).toBeInstanceOf(NotFoundError)
    }
    expect(await client.countries.get('aggregate?limit=1/../x')).toBeNull()
  })

  test('makes headers anew for each request, and says what it cannot send', async () => {
    const { baseUrl } = await startServer(engine)
    let calls = 0
    const client = clientOf(baseUrl, { actor: undefined, headers: async () => ({ 'X-User': `caller ${++calls}` }) })
    expect((await client.users.create(ada)).created_by).toBe('caller 1')
    expect((await client.users.update(1, { age: 1 })).updated_by).toBe('caller 2')
    expect((await client.users.update(1, { age: 2 }, { actor: 'grace' })).updated_by).toBe('grace')
    expect(await rejectionOf(client.users.update(1, { age: 3 }, { actor: 'two\nlines' }))).toBeInstanceOf(TypeError)
  })
})
