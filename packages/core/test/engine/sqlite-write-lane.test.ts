import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect } from 'vitest'
import type { Connection } from '../../src/engine/engine.ts'
import { loadDriver } from '../../src/engine/sqlite/driver.ts'
import { openWriter } from '../../src/engine/sqlite/handle.ts'
import { WriteLane } from '../../src/engine/sqlite/write-lane.ts'
import { commits, errorOf, gate, note, sql, stored, test, turns, unit, watch, withNotes } from './sqlite-support.ts'

const insert = (connection: Connection, text: string) => connection.run(sql('INSERT INTO "notes" (text) VALUES (?)', text))
const failing = (text: string, message = 'no') =>
  unit((connection) => {
    void insert(connection, text)
    throw new Error(message)
  })

describe('a lane that is held', () => {
  test('lets nobody begin until all have let go who hold it', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const [one, other] = await Promise.all([engine.holdWrites(), engine.holdWrites()])
    const writing = engine.write(note('a'))
    one()
    await turns(20)
    expect(stored(file)).toEqual([])
    other()
    await writing
    expect(stored(file)).toEqual(['a'])
  })

  test('is had when the unit that runs has ended', async ({ open }) => {
    const engine = await withNotes(await open())
    const { opened, open: end } = gate()
    const writing = engine.write(unit(() => opened))
    await turns(2)
    const holding = engine.holdWrites()
    const held = watch(holding)
    await turns(5)
    expect(held.settled).toBe(false)
    end()
    await writing
    const letGo = await holding
    letGo()
  })
})

describe('units that wait at the same turn', () => {
  test('run in their order and share one commit', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const before = commits(file)
    const texts = Array.from({ length: 100 }, (_, index) => `note ${index}`)
    expect(await Promise.all(texts.map((text) => engine.write(note(text))))).toEqual(texts)
    expect(stored(file)).toEqual(texts)
    expect(commits(file) - before).toBe(1)
  })

  test('share a commit with at most maxGroup', async ({ open, file }) => {
    const engine = await withNotes(await open({ maxGroup: 10 }))
    const before = commits(file)
    await Promise.all(Array.from({ length: 25 }, (_, index) => engine.write(note(`note ${index}`))))
    expect(commits(file) - before).toBe(3)
    expect(stored(file)).toHaveLength(25)
  })

  test('share the next one too when they come again one after the other', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const texts = (round: string) => Array.from({ length: 10 }, (_, index) => `${round} ${index}`)
    await Promise.all(texts('first').map((text) => engine.write(note(text))))
    const before = commits(file)
    const writes: Promise<string>[] = []
    for (const text of texts('second')) {
      writes.push(engine.write(note(text)))
      await turns(1)
    }
    await Promise.all(writes)
    expect(commits(file) - before).toBe(1)
    expect(stored(file)).toEqual([...texts('first'), ...texts('second')])
  })

  test('who comes alone after them waits for one turn, and whoever comes after that for none', async ({ open, file }) => {
    const engine = await withNotes(await open())
    await Promise.all(['a', 'b', 'c'].map((text) => engine.write(note(text))))
    const begun = (text: string) => {
      let hasBegun = false
      const work = unit((connection) => {
        hasBegun = true
        return insert(connection, text)
      })
      void engine.write(work)
      return () => hasBegun
    }
    const alone = begun('d')
    await turns(1)
    expect(alone()).toBe(false)
    await turns(1)
    expect(alone()).toBe(true)
    const next = begun('e')
    await turns(1)
    expect(next()).toBe(true)
    expect(stored(file)).toHaveLength(5)
  })

  test('each keep or lose only their own work', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const before = commits(file)
    const outcomes = await Promise.allSettled([
      engine.write(note('a')),
      engine.write(failing('b')),
      engine.write(note('a')),
      engine.write(note('c')),
    ])
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: { message: 'no' } },
      { status: 'rejected', reason: { kind: 'unique', table: 'notes', columns: ['text'] } },
      { status: 'fulfilled', value: 'c' },
    ])
    expect(stored(file)).toEqual(['a', 'c'])
    expect(commits(file) - before).toBe(1)
  })

  test('and fail before they change anything lose nothing of the others', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const before = commits(file)
    const early = (text: string) => engine.write(note(text, { failsEarly: true }))
    const outcomes = await Promise.allSettled([early('a'), early('a'), engine.write(failing('b')), early('c')])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(stored(file)).toEqual(['a', 'c'])
    expect(commits(file) - before).toBe(1)
  })

  test('and fail late, in spite of what was said of them, lose their own work alone', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const waiting = unit(
      async (connection) => {
        void insert(connection, 'd')
        await Promise.resolve()
        throw new Error('late')
      },
      { failsEarly: true },
    )
    const outcomes = await Promise.allSettled([
      engine.write(note('a', { failsEarly: true })),
      engine.write(failing('b')),
      engine.write({ ...failing('c'), failsEarly: true }),
      engine.write(note('a')),
      engine.write(waiting),
      engine.write(note('e', { failsEarly: true })),
    ])
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: 'a' },
      { reason: { message: 'no' } },
      { reason: { message: 'no' } },
      { reason: { kind: 'unique' } },
      { reason: { message: 'late' } },
      { status: 'fulfilled', value: 'e' },
    ])
    expect(stored(file)).toEqual(['a', 'e'])
  })

  test('hear of no conflict with what is undone with theirs: they try once more', async ({ open, file }) => {
    const engine = await withNotes(await open())
    await engine.define(async (connection) => {
      await connection.run(sql(`CREATE TRIGGER own BEFORE INSERT ON notes BEGIN SELECT 1; END`))
    })
    let tries = 0
    const once = unit((connection) => {
      void insert(connection, 'a')
      tries += 1
      if (tries > 1) throw new Error('no')
    })
    const outcomes = await Promise.allSettled([engine.write(once), engine.write(note('a', { failsEarly: true }))])
    expect(outcomes).toMatchObject([{ reason: { message: 'no' } }, { status: 'fulfilled', value: 'a' }])
    expect(stored(file)).toEqual(['a'])
  })

  test('hear nothing, good or bad, before the commit', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const wait = gate()
    const first = engine.write(note('a'))
    const conflict = engine.write(note('a'))
    const last = engine.write(
      unit(async (connection) => {
        void insert(connection, 'b')
        await wait.opened
      }),
    )
    const watched = [watch(first), watch(conflict), watch(last)]
    await turns(5)
    expect(watched.map(({ settled }) => settled)).toEqual([false, false, false])
    expect(stored(file)).toEqual([])
    wait.open()
    await expect(conflict).rejects.toMatchObject({ kind: 'unique' })
    expect(stored(file)).toEqual(['a', 'b'])
    await Promise.all([first, last])
  })

  test('all get the error of a commit that fails, and nothing is stored', async ({ open, file }) => {
    const engine = await withNotes(await open())
    await engine.define(async (connection) => {
      await connection.run(sql('CREATE TABLE orphans (note INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED) STRICT'))
    })
    const orphan = unit((connection) => connection.run(sql('INSERT INTO orphans VALUES (99)')))
    const outcomes = await Promise.allSettled([engine.write(note('a')), engine.write(orphan), engine.write(failing('b'))])
    expect(outcomes).toMatchObject(Array.from({ length: 3 }, () => ({ status: 'rejected', reason: { kind: 'reference' } })))
    expect(stored(file)).toEqual([])
    await expect(engine.write(orphan)).rejects.toMatchObject({ kind: 'reference' })
    await engine.write(note('later'))
    expect(stored(file)).toEqual(['later'])
  })
})

describe('a unit alone', () => {
  test('has a commit of its own, between those before and after it', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const before = commits(file)
    const order: string[] = []
    const tell = (text: string) => engine.write(note(text, { alone: text === 'alone' })).then((done) => order.push(done))
    await Promise.all([tell('a'), tell('b'), tell('alone'), tell('c'), tell('d')])
    expect(order).toEqual(['a', 'b', 'alone', 'c', 'd'])
    expect(stored(file)).toEqual(order)
    expect(commits(file) - before).toBe(3)
  })

  test('takes only itself with it when it fails, at once or later', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const fails = (text: string, later: boolean) =>
      unit(
        (connection) => {
          void insert(connection, text)
          if (later) return Promise.reject(new Error('no'))
          throw new Error('no')
        },
        { alone: true },
      )
    const outcomes = await Promise.allSettled([
      engine.write(note('a')),
      engine.write(fails('b', false)),
      engine.write(fails('c', true)),
      engine.write(note('d')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(stored(file)).toEqual(['a', 'd'])
  })
})

describe('a unit that turns out to wait', () => {
  test('closes the group, and is committed with those before it', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const before = commits(file)
    const wait = gate()
    const waiting = unit(async (connection) => {
      void insert(connection, 'b')
      await wait.opened
      void insert(connection, 'c')
    })
    const all = [engine.write(note('a')), engine.write(waiting), engine.write(note('d'))]
    await turns(3)
    expect(stored(file)).toEqual([])
    wait.open()
    await Promise.all(all)
    expect(stored(file)).toEqual(['a', 'b', 'c', 'd'])
    expect(commits(file) - before).toBe(2)
  })

  test('loses only its own work when it fails', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const waiting = unit(async (connection) => {
      void insert(connection, 'b')
      await turns(1)
      throw new Error('no')
    })
    const outcomes = await Promise.allSettled([engine.write(note('a')), engine.write(waiting), engine.write(note('c'))])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(stored(file)).toEqual(['a', 'c'])
  })

  test('may answer with anything that has a then', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const thenable = unit((connection) => {
      void insert(connection, 'a')
      // biome-ignore lint/suspicious/noThenProperty: a promise of another make is what is tested
      return { then: (resolve: (value: string) => void) => resolve('done') } as unknown as Promise<string>
    })
    expect(await Promise.all([engine.write(thenable), engine.write(note('b'))])).toEqual(['done', 'b'])
    expect(stored(file)).toEqual(['a', 'b'])
  })
})

describe('a transaction that SQLite drops inside a savepoint', () => {
  const dropping = unit((connection) => connection.raw(sql(`INSERT OR ROLLBACK INTO notes (text) VALUES ('there')`), { write: true }))

  test('costs the culprit its work; the earlier units run once more, the later ones go on', async ({ open, file }) => {
    const engine = await withNotes(await open())
    await engine.write(note('there'))
    const calls = new Map<string, number>()
    const counted = (text: string) =>
      engine.write(
        unit((connection) => {
          calls.set(text, (calls.get(text) ?? 0) + 1)
          void insert(connection, text)
        }),
      )
    const outcomes = await Promise.allSettled([counted('a'), counted('there'), counted('b'), engine.write(dropping), counted('c')])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[3]).toMatchObject({ reason: { kind: 'unique' } })
    expect(Object.fromEntries(calls)).toEqual({ a: 2, there: 2, b: 2, c: 1 })
    expect(stored(file)).toEqual(['there', 'a', 'b', 'c'])
  })

  test('is noticed when the culprit keeps quiet about it: nothing of it commits by itself', async ({ open, file }) => {
    const engine = await withNotes(await open())
    await engine.write(note('there'))
    const quiet = unit((connection) => {
      for (const attempt of [() => dropping.run(connection), () => insert(connection, 'loose'), () => connection.savepoint('s')]) {
        expect(attempt).toThrow(expect.objectContaining({ kind: 'unique' }))
      }
      return 'all is well'
    })
    const outcomes = await Promise.allSettled([engine.write(note('a')), engine.write(quiet), engine.write(note('b'))])
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { kind: 'unique' } }, { status: 'fulfilled' }])
    expect(stored(file)).toEqual(['there', 'a', 'b'])
  })

  test('costs a culprit that waits, or is alone, no more than its own work', async ({ open, file }) => {
    const engine = await withNotes(await open())
    await engine.write(note('there'))
    const waits = unit(async (connection) => {
      void insert(connection, 'lost')
      await turns(1)
      return dropping.run(connection)
    })
    const outcomes = await Promise.allSettled([
      engine.write(note('a')),
      engine.write(waits),
      engine.write({ ...waits, alone: true }),
      engine.write({ ...dropping, alone: true }),
      engine.write(note('b')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'])
    expect(stored(file)).toEqual(['there', 'a', 'b'])
  })
})

describe('the time limit', () => {
  const timeLimit = 20
  const busy = (milliseconds: number) => {
    for (const end = performance.now() + milliseconds; performance.now() < end; );
  }

  test('rolls a unit back that waits for longer; its connection is dead and the lane goes on', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const wait = gate()
    let late: unknown
    const ended = gate()
    const slow = unit(
      async (connection) => {
        void insert(connection, 'slow')
        await wait.opened
        late = await errorOf((async () => insert(connection, 'late'))())
        ended.open()
      },
      { timeLimit },
    )
    const outcomes = await Promise.allSettled([
      engine.write(note('a')),
      engine.write(slow),
      engine.write({ ...slow, alone: true }),
      engine.write(note('b')),
    ])
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'transaction_timeout' } },
      { status: 'rejected', reason: { code: 'transaction_timeout' } },
      { status: 'fulfilled' },
    ])
    wait.open()
    await ended.opened
    expect(late).toMatchObject({ code: 'session_finished' })
    expect(stored(file)).toEqual(['a', 'b'])
  })

  test('acts between the statements of a unit that never waits, even when it keeps quiet', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const slow = (quiet: boolean) =>
      unit(
        (connection) => {
          void insert(connection, 'slow')
          busy(timeLimit + 5)
          try {
            void insert(connection, 'late')
          } catch (error) {
            if (!quiet) throw error
          }
        },
        { timeLimit },
      )
    const outcomes = await Promise.allSettled([
      engine.write(note('a')),
      engine.write(slow(false)),
      engine.write(slow(true)),
      engine.write(note('b')),
    ])
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'transaction_timeout' } },
      { status: 'rejected', reason: { code: 'transaction_timeout' } },
      { status: 'fulfilled' },
    ])
    expect(stored(file)).toEqual(['a', 'b'])
  })

  test('does not count the time that a unit waits for its turn', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const timeLimit = 400
    const slow = unit(() => busy(timeLimit + 50))
    await Promise.all([engine.write(slow), engine.write(note('a', { timeLimit })), engine.write(note('b', { timeLimit, alone: true }))])
    expect(stored(file)).toEqual(['a', 'b'])
  })

  test('may be as good as none', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const patient = unit(
      async (connection) => {
        await turns(2)
        void insert(connection, 'a')
      },
      { timeLimit: Number.POSITIVE_INFINITY },
    )
    await engine.write(patient)
    expect(stored(file)).toEqual(['a'])
  })
})

describe('the queue', () => {
  test('refuses at once what passes its limit, and stores nothing of it', async ({ open, file }) => {
    const engine = await withNotes(await open({ queueLimit: 3 }))
    const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((text) => engine.write(note(text))))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect(outcomes[4]).toMatchObject({ reason: { code: 'storage_busy', retryAfter: 1 } })
    await engine.write(note('f'))
    expect(stored(file)).toEqual(['a', 'b', 'c', 'f'])
  })

  test('keeps its order over thousands', async ({ open, file }) => {
    const engine = await withNotes(await open({ maxGroup: 700 }))
    const texts = Array.from({ length: 5_000 }, (_, index) => `${index}`)
    await Promise.all(texts.map((text) => engine.write(note(text))))
    expect(stored(file)).toEqual(texts)
  })
})

describe('asynchronous context', () => {
  test('does not leak from whoever woke the lane into the units of others', async ({ open }) => {
    const storage = new AsyncLocalStorage<string>()
    const engine = await withNotes(await open())
    const seen: (string | undefined)[] = []
    const look = unit(() => void seen.push(storage.getStore()))
    const lookLater = unit(async () => {
      await turns(1)
      seen.push(storage.getStore())
    })
    const writes = [look, lookLater, { ...look, alone: true }, look]
    await Promise.all([
      storage.run('first', () => writes.map((each) => engine.write(each))).at(-1),
      storage.run('second', () => engine.write(look)),
    ])
    expect(seen).toEqual([undefined, undefined, undefined, undefined, undefined])
  })

  test('is, for the caller, after the write what it was before', async ({ open }) => {
    const storage = new AsyncLocalStorage<string>()
    const engine = await withNotes(await open())
    const storeAfter = (name: string) =>
      storage.run(name, async () => {
        await engine.write(note(name))
        return storage.getStore()
      })
    expect(await Promise.all([storeAfter('first'), storeAfter('second')])).toEqual(['first', 'second'])
  })
})

describe('a database that cannot be written', () => {
  test('refuses units at their statements and at their begin, and takes them again when it can', async ({ open, file }) => {
    const engine = await withNotes(await open())
    const handle = openWriter({ driver: await loadDriver(), path: file, synchronous: 'FULL', maxPageCount: undefined })
    const lane = new WriteLane(handle, {
      busyWait: 1_000,
      queueLimit: 10,
      maxGroup: 10,
      openElsewhere: () => Promise.reject(new Error('no large units here')),
    })
    const setReadOnly = (value: number) => handle.database.pragma(`query_only = ${value}`)
    const late = unit((connection) => {
      setReadOnly(1)
      void insert(connection, 'late')
    })
    const outcomes = await Promise.allSettled([note('a'), late, note('b')].map((each) => lane.write<unknown>(each)))
    const refused = { status: 'rejected', reason: { code: 'storage_unavailable', status: 503, retryAfter: 5 } }
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, refused, refused])
    expect(await Promise.allSettled([lane.write(note('c')), lane.write(note('d'))])).toMatchObject([refused, refused])
    expect(engine.read((connection) => connection.all(sql('SELECT text FROM notes')))).toEqual([{ text: 'a' }])
    setReadOnly(0)
    await lane.write(note('e'))
    expect(stored(file)).toEqual(['a', 'e'])
    await lane.close()
    handle.database.close()
  })
})
