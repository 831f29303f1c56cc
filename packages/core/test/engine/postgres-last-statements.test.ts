import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { Default, defineModel, Json, ModelAccessor, openStorage, Ref, type Storage, type StorageOptions } from '@strongroom/core'
import { asSuperuser, freshPostgres } from '@strongroom/testkit'
import pg from 'pg'
import { Type } from 'typebox'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { codeOf, endSession, makeItems, openFresh, processOf, sql, storedItems, unit } from './postgres-support.ts'

const Team = defineModel('teams', { id_of_old: Type.Optional(Type.String()) }, { id: 'text' })
const Person = defineModel(
  'people',
  { name: Type.String(), secret: Type.Optional(Type.String()), team: Type.Optional(Ref(() => Team)) },
  { unique: [['name']], softDelete: true, stamps: true, secret: ['secret'] },
)
const Case = defineModel(
  'cases',
  { state: Default(Type.Enum(['open', 'closed']), 'open'), more: Type.Optional(Json()) },
  { transitions: { state: { open: ['closed'], closed: [] } } },
)
const Desk = defineModel('desks', { text: Type.String(), room: Type.String() }, { tenant: 'room' })
const Measure = defineModel('measures', { value: Type.Number() })
const Note = defineModel('notes', { text: Type.String() }, { id: { name: 'key', type: 'integer' } })

/** A storage, and a way to hear of the statements of a write, by their first words. */
async function opened(...others: StorageOptions['accessors']) {
  const database = await freshPostgres()
  // The sealer has statements, too.
  const listening = new AsyncLocalStorage<string[]>()
  const accessors = {
    teams: new ModelAccessor(Team, 'teams'),
    people: new ModelAccessor(Person, 'people'),
    cases: new ModelAccessor(Case, 'cases'),
    measures: new ModelAccessor(Measure, 'measures'),
    notes: new ModelAccessor(Note, 'notes'),
  }
  const storage = await openStorage({
    url: database.url,
    accessors: [...Object.values(accessors), ...others],
    onStatement: ({ sql: text }) => listening.getStore()?.push(text.split(/[\s;]+/, 1)[0] ?? ''),
  })
  onTestFinished(async () => {
    await storage.close()
    await database.remove()
  })
  const during = async (work: () => Promise<unknown>): Promise<string> => {
    const heard: string[] = []
    await listening.run(heard, work)
    return heard.join(' ')
  }
  return { storage, ...accessors, during, url: database.url }
}

describe('the statements of a single write', () => {
  test('an insert is one, whoever gives the id', async () => {
    const { teams, people, notes, during } = await opened()
    expect(await during(() => people.insert({ name: 'Ada' }))).toBe('WITH')
    expect(await during(() => notes.insert({ text: 'one' }))).toBe('WITH')
    expect(await during(() => teams.insert({ id: 'red' }))).toBe('WITH')
  })

  test('a change or the end of a record is one, which reads, locks, changes and tells of it', async () => {
    const { people, notes, during } = await opened()
    const { id } = await people.insert({ name: 'Ada' })
    const note = await notes.insert({ text: 'one' })
    expect(await during(() => people.update(id, { name: 'Eda' }))).toBe('WITH')
    const read = await people.get(id)
    expect(await during(() => people.update(id, { ...read, secret: 's' }, { ifMatch: '*' }))).toBe('WITH')
    expect(await during(() => people.update(id, { team: null, name: 'Ida' }))).toBe('WITH')
    expect(await during(() => people.save({ id, name: 'Oda' }))).toBe('WITH')
    expect(await during(() => people.delete(id))).toBe('WITH')
    expect(await during(() => people.restore(id))).toBe('WITH')
    expect(await during(() => people.deleteReturning(id))).toBe('WITH')
    expect(await during(() => people.purge(id))).toBe('WITH')
    expect(await during(() => notes.delete(note.key))).toBe('WITH')
  })

  test('whose records there are for a caller is said with it', async () => {
    const desks = new ModelAccessor(Desk, 'desks')
    const { during } = await opened(desks)
    const { id } = await desks.insert({ text: 'one', room: 'north' }, { tenant: 'north' })
    expect(await during(() => desks.update(id, { text: 'two' }, { tenant: 'north' }))).toBe('BEGIN WITH COMMIT')
    expect(await during(() => desks.delete(id, { tenant: 'north' }))).toBe('BEGIN WITH COMMIT')
  })

  test('a change that does not come about is followed by those that find out why', async () => {
    const { people, during } = await opened()
    const { id } = await people.insert({ name: 'Ada' })
    const refused = (work: Promise<unknown>) => work.catch(() => undefined)
    expect(await during(() => people.update(id, { name: 'Ada' }))).toBe('WITH BEGIN select COMMIT')
    expect(await during(() => refused(people.update(id + 1, { name: 'Eda' })))).toBe('WITH BEGIN select ROLLBACK')
    expect(await during(() => refused(people.update(id, { name: 'Eda' }, { ifMatch: 'A'.repeat(16) })))).toBe('WITH BEGIN select ROLLBACK')
    expect(await during(() => refused(people.update(id, { name: 'Eda', created_by: 'me' } as never)))).toBe('WITH BEGIN select ROLLBACK')
    expect(await during(() => refused(people.update(id, { name: 7 as never })))).toBe('BEGIN select ROLLBACK')
  })

  describe('a change that something has to see before reads and locks first, and leaves the rest to the COMMIT:', () => {
    // The statement that changes the row is inside of one that counts them: one that a trigger of the app skips is to be refused.
    const inSteps = 'BEGIN select WITH insert COMMIT'

    test('a hook, before or after the commit', async () => {
      for (const moment of ['beforeUpdate', 'afterCommit'] as const) {
        const { people, during } = await opened()
        people[moment](() => undefined)
        const { id } = await people.insert({ name: 'Ada' })
        expect(await during(() => people.update(id, { name: 'Eda' })), moment).toBe(inSteps)
      }
    })

    test('a function that makes the patch, a reference, a state, data of any shape', async () => {
      const { teams, people, cases, during } = await opened()
      await teams.insert({ id: 'red' })
      const { id } = await people.insert({ name: 'Ada' })
      expect(await during(() => people.update(id, () => ({ name: 'Eda' })))).toBe(inSteps)
      expect(await during(() => people.update(id, { team: 'red' }))).toBe(inSteps)
      const one = await cases.insert({})
      expect(await during(() => cases.update(one.id, { state: 'closed' }))).toBe(inSteps)
    })

    test('records that point to the one that goes', async () => {
      const { teams, during } = await opened()
      await teams.insert({ id: 'red' })
      expect(await during(() => teams.delete('red'))).toBe('BEGIN select select WITH insert COMMIT')
    })

    test('values that the database writes otherwise', async () => {
      const { measures, during } = await opened()
      const [one, other] = [await measures.insert({ value: 1e23 }), await measures.insert({ value: 0.1 })]
      expect(await during(() => measures.update(one.id, { value: 2 }))).toBe(`WITH ${inSteps}`)
      expect(await during(() => measures.update(other.id, { value: 1e23 }))).toBe('WITH')
    })
  })

  test('a record that points to another one gets its entry behind it', async () => {
    const { teams, people, during } = await opened()
    await teams.insert({ id: 'red' })
    expect(await during(() => people.insert({ name: 'Ada', team: 'red' }))).toBe('BEGIN insert insert COMMIT')
  })

  test.each(['afterInsert', 'limit', 'dryRun', 'transaction'] as const)('%s is asked before the COMMIT', async (what) => {
    const { storage, notes, during } = await opened()
    if (what === 'afterInsert') notes.afterInsert(() => undefined)
    if (what === 'limit') notes.limitRecords(10)
    const write = () => notes.insert({ text: 'one' }, { dryRun: what === 'dryRun' })
    expect(await during(what === 'transaction' ? () => storage.transaction(write) : write)).toMatch(/^BEGIN (?:SAVEPOINT )?insert insert/)
  })
})

describe('a record whose entry the database completes', () => {
  test('is told of as every other one', async () => {
    const { storage, people, notes } = await opened()
    const name = `"quoted" \\ é 🦀 \u2028 \u0001`
    const one = await people.insert({ name, secret: 'canary' }, { actor: 'ada', requestId: 'r1' })
    const [two] = await people.insertMany([{ name: 'second' }], { actor: 'ada' })
    const note = await notes.insert({ text: name })
    const [entry] = await storage.audit.find({ component: 'people', record_id: String(one.id) })
    expect(entry).toMatchObject({ operation: 'create', actor: 'ada', request_id: 'r1', before: null, after: { id: one.id, name } })
    expect(JSON.stringify(entry)).not.toContain('canary')
    const [other] = await storage.audit.find({ component: 'people', record_id: String(two?.id) })
    expect(Object.keys(entry?.after ?? {})).toEqual(Object.keys(other?.after ?? {}))
    expect(await people.asOf(new Date()).get(one.id)).toMatchObject({ name })
    expect(await storage.audit.find({ component: 'notes' })).toMatchObject([{ record_id: note.key, after: note }])
    expect(await storage.audit.verify()).toMatchObject({ ok: true, entries: 3 })
  })

  test('with the very bytes that are hashed for it', async () => {
    const { people, url } = await opened()
    const { id } = await people.insert({ name: 'Ada' })
    const client = new pg.Client(url)
    await client.connect()
    const { rows } = await client.query('SELECT after, salt, payload_hash FROM strongroom_audit_log WHERE record_id = $1', [String(id)])
    await client.end()
    const [{ after, salt, payload_hash: hash }] = rows
    expect(after).toBe(JSON.stringify(JSON.parse(after)))
    expect(createHash('sha256').update(salt).update(`{"after":${after},"before":null}`).digest('hex')).toBe(hash.toString('hex'))
  })

  test('that collides is a conflict, and neither of them is there', async () => {
    const { storage, people } = await opened()
    await people.insert({ name: 'Ada' })
    expect(await codeOf(people.insert({ name: 'Ada' }))).toBe('unique_conflict')
    const { id } = await people.insert({ name: 'Bob' })
    expect(await codeOf(people.update(id, { name: 'Ada' }))).toBe('unique_conflict')
    expect(await codeOf(people.update(id, { team: 'nowhere' }))).toBe('reference_conflict')
    expect(await storage.audit.count({})).toBe(2)
    expect((await people.get(id))?.name).toBe('Bob')
  })

  test('gets no id that is no number', async () => {
    const { storage, notes, url } = await opened()
    await asSuperuser(async (client) => {
      await client.query(`SET search_path = ${new URL(url).searchParams.get('options')?.split('=').at(-1) ?? 'public'}`)
      await client.query(`SELECT setval(pg_get_serial_sequence('notes', 'key'), ${Number.MAX_SAFE_INTEGER})`)
    })
    expect(await codeOf(notes.insert({ text: 'too late' }))).toBe('state_conflict')
    expect(await notes.count()).toBe(0)
    expect(await storage.audit.count({})).toBe(0)
  })
})

describe('a record that many change at once', () => {
  /** What was, and what is, by each entry, in the order of their ids. */
  const told = async (storage: Storage, component: string): Promise<(readonly [unknown, unknown])[]> => {
    await storage.audit.waitUntilSealed()
    const entries = await storage.audit.find({ component, limit: 1_000 })
    return entries.toReversed().map(({ before, after }) => [before, after])
  }

  test('is told of without a gap: each entry begins where the one before has ended', async () => {
    const { storage, people } = await opened()
    const { id } = await people.insert({ name: 'Ada' })
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      for (let step = 0; step < 12; step++) {
        if (writer === 0 && step % 4 === 0) await people.delete(id)
        else if (writer === 1) await people.restore(id)
        else
          await people
            .update(id, { name: `${writer} ${step}` })
            .catch((error: unknown) => expect(error).toMatchObject({ code: 'not_found' }))
      }
    })
    await Promise.all(writers)
    const entries = await told(storage, 'people')
    expect(entries.length).toBeGreaterThan(16)
    for (const [index, [before]] of entries.entries()) expect(before).toEqual(entries[index - 1]?.[1] ?? null)
    expect(entries.at(-1)?.[1]).toMatchObject({ name: (await people.get(id, { includeDeleted: true }))?.name })
    expect(await storage.audit.verify()).toMatchObject({ ok: true, entries: entries.length })
  })

  test('is changed as it stands once nobody else holds it, though the statement began before', async () => {
    const { storage, measures } = await opened()
    const { id } = await measures.insert({ value: 0 })
    const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const holder = storage.transaction(async () => {
      await measures.update(id, { value: 10 })
      held.resolve()
      await release.promise
    })
    await held.promise
    const waiting = measures.update(id, { value: 11 })
    await asSuperuser(async (client) => {
      const isWaiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'WITH %measures%' AND query NOT LIKE '%pg_stat%'`
      while ((await client.query(isWaiting)).rows.length === 0) await new Promise(setImmediate)
    })
    release.resolve()
    await holder
    expect(await waiting).toEqual({ id, value: 11 })
    expect((await told(storage, 'measures')).slice(1)).toEqual([
      [
        { id, value: 0 },
        { id, value: 10 },
      ],
      [
        { id, value: 10 },
        { id, value: 11 },
      ],
    ])
  })
})

describe('last statements, sent with their COMMIT', () => {
  const insert = (name: string) => sql('INSERT INTO items (name) VALUES ($1)', name)
  /** Somebody else has inserted "a" and has not committed yet; answers what lets them commit. */
  const holdingA = async (engine: Engine): Promise<() => Promise<void>> => {
    const held = Promise.withResolvers<void>()
    const there = Promise.withResolvers<void>()
    const holder = engine.write(
      unit(async (connection) => {
        await connection.run(insert('a'))
        there.resolve()
        await held.promise
      }),
    )
    await there.promise
    return async () => {
      held.resolve()
      await holder
    }
  }

  test('are committed together, or none of them', async () => {
    const engine = await openFresh()
    await makeItems(engine)
    const write = (...names: string[]) =>
      engine.write(
        unit(async (connection) => {
          await connection.conclude?.(names.map(insert))
        }),
      )
    await write('a', 'b')
    await expect(write('c', 'b', 'd')).rejects.toMatchObject({ kind: 'unique' })
    await expect(write('a')).rejects.toMatchObject({ kind: 'unique' })
    await write('e')
    expect(await storedItems(engine)).toEqual(['a=0', 'b=0', 'e=0'])
  })

  test('are the last: nothing can be asked afterwards, and nobody can make a success of their failure', async () => {
    const engine = await openFresh()
    await makeItems(engine)
    const asking = unit(async (connection) => {
      await connection.conclude?.([insert('a')])
      await connection.all(sql('SELECT 1'))
    })
    expect(await codeOf(engine.write(asking))).toBe('session_finished')
    const swallowing = unit(async (connection) => {
      await connection.conclude?.([insert('a')]).catch(() => undefined)
    })
    await expect(engine.write(swallowing)).rejects.toMatchObject({ kind: 'unique' })
    expect(await storedItems(engine)).toEqual(['a=0'])
  })

  test('that wait for somebody else are stopped when the time is over', async () => {
    const engine = await openFresh()
    await makeItems(engine)
    const release = await holdingA(engine)
    const waiting = unit(async (connection) => void (await connection.conclude?.([insert('a')])), { timeLimit: 200 })
    expect(await codeOf(engine.write(waiting))).toBe('transaction_timeout')
    await release()
    expect(await storedItems(engine)).toEqual(['a=0'])
  })

  test('on a connection that is cut have an outcome that nobody knows, and are not tried again', async () => {
    const engine = await openFresh({ poolSize: 3 })
    await makeItems(engine)
    const release = await holdingA(engine)
    let runs = 0
    const cut = engine.write(
      unit(async (connection) => {
        runs++
        const pid = runs === 1 ? await processOf(connection) : 0
        await Promise.all([connection.conclude?.([insert('a'), insert('b')]), endSession(pid)])
      }),
    )
    // The server said that it ends the session before it came to the COMMIT.
    expect(await codeOf(cut)).toBe('storage_unavailable')
    const alone = engine.write(
      unit(async (connection) => {
        runs++
        await asSuperuser(async (client) => {
          const concluded = connection.conclude?.([insert('a')])
          concluded?.catch(() => undefined)
          const waiting = `SELECT pg_terminate_backend(pid, 10000) AS ended FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO items%' AND query NOT LIKE '%pg_stat%'`
          while ((await client.query(waiting)).rows.length === 0) await new Promise(setImmediate)
          await concluded
        })
      }),
    )
    expect(await codeOf(alone)).toBe('commit_unknown')
    expect(runs).toBe(2)
    await release()
    expect(await storedItems(engine)).toEqual(['a=0'])
  })
})
