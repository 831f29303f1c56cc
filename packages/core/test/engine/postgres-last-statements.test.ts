import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { defineModel, ModelAccessor, openStorage, Ref } from '@strongroom/core'
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
const Note = defineModel('notes', { text: Type.String() }, { id: { name: 'key', type: 'integer' } })

/** A storage, and a way to hear of the statements of a write, by their first words. */
async function opened() {
  const database = await freshPostgres()
  // The sealer has statements, too.
  const listening = new AsyncLocalStorage<string[]>()
  const [teams, people, notes] = [new ModelAccessor(Team, 'teams'), new ModelAccessor(Person, 'people'), new ModelAccessor(Note, 'notes')]
  const storage = await openStorage({
    url: database.url,
    accessors: [teams, people, notes],
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
  return { storage, teams, people, notes, during, url: database.url }
}

describe('the statements of a single write', () => {
  test('an insert is one, whoever gives the id', async () => {
    const { teams, people, notes, during } = await opened()
    expect(await during(() => people.insert({ name: 'Ada' }))).toBe('WITH')
    expect(await during(() => notes.insert({ text: 'one' }))).toBe('WITH')
    expect(await during(() => teams.insert({ id: 'red' }))).toBe('WITH')
  })

  test('an update or a delete reads and locks first, and leaves the rest to the COMMIT', async () => {
    const { people, notes, during } = await opened()
    const { id } = await people.insert({ name: 'Ada' })
    const note = await notes.insert({ text: 'one' })
    expect(await during(() => people.update(id, { name: 'Eda' }))).toBe('BEGIN select update insert COMMIT')
    expect(await during(() => people.delete(id))).toBe('BEGIN select update insert COMMIT')
    expect(await during(() => notes.delete(note.key))).toBe('BEGIN select delete insert COMMIT')
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
