import { freePort, freshPostgres } from '@strongroom/testkit'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { openPostgresEngine } from '../../src/engine/postgres/open.ts'
import { StorageUnavailableError } from '../../src/errors.ts'
import { codeOf, endSession, insertItem, makeItems, openFresh, processOf, sql, storedItems, unit } from './postgres-support.ts'

/** Holds back each comer until the given number of them is there. */
function meeting(size: number): () => Promise<void> {
  let open = (): void => undefined
  const everybody = new Promise<void>((resolve) => {
    open = resolve
  })
  let present = 0
  return async () => {
    if (++present >= size) open()
    await everybody
  }
}

async function withItems(options: Parameters<typeof openFresh>[0] = {}): Promise<Engine> {
  const engine = await openFresh(options)
  await makeItems(engine)
  return engine
}

describe('a session that is ended from outside', () => {
  test('in the middle of a unit: nothing is written, the caller is told, and the pool heals', async () => {
    const engine = await withItems({ poolSize: 1 })
    const cut = engine.write(
      unit(async (connection) => {
        await insertItem(connection, 'a')
        await endSession(await processOf(connection))
        await insertItem(connection, 'b')
      }),
    )
    expect(await codeOf(cut)).toBe('storage_unavailable')
    await engine.write(unit((connection) => insertItem(connection, 'c')))
    expect(await storedItems(engine)).toEqual(['c=0'])
  })

  test('while a statement runs in it', async () => {
    const engine = await withItems({ poolSize: 1 })
    const cut = engine.write(
      unit(async (connection) => {
        const pid = await processOf(connection)
        await Promise.all([connection.all(sql('SELECT pg_sleep(60)')), endSession(pid)])
      }),
    )
    expect(await codeOf(cut)).toBe('storage_unavailable')
    expect(await storedItems(engine)).toEqual([])
  })

  test('while the code of the unit waits, and then swallows what happened', async () => {
    const engine = await withItems({ poolSize: 1 })
    const cut = engine.write(
      unit(async (connection) => {
        await insertItem(connection, 'a')
        await endSession(await processOf(connection))
      }),
    )
    expect(await codeOf(cut)).toBe('storage_unavailable')
    expect(await storedItems(engine)).toEqual([])
  })

  test('while it lies in the pool: nobody notices', async () => {
    const engine = await withItems({ poolSize: 1 })
    for (const round of ['a', 'b']) {
      await endSession(await engine.read(processOf))
      await engine.write(unit((connection) => insertItem(connection, round)))
      await endSession(await engine.read(processOf))
      expect(await storedItems(engine)).toContain(`${round}=0`)
    }
  })

  test('on its way out of the pool, too late to be noticed there', async () => {
    const engine = await withItems({ poolSize: 1 })
    const pid = await engine.read(processOf)
    let runs = 0
    const stored = engine.write(
      unit(async (connection) => {
        // the first time, the goodbye of the server arrives instead of the first answer
        await connection.all(sql('SELECT pg_sleep($1)', runs++ === 0 ? 60 : 0))
        await insertItem(connection, 'a')
      }),
    )
    await endSession(pid)
    await stored
    expect(runs).toBe(2)
    expect(await storedItems(engine)).toEqual(['a=0'])
  })

  test('during the commit: the outcome is unknown, and nothing is tried again', async () => {
    const engine = await withItems({ poolSize: 1 })
    await engine.define(async (connection) => {
      await connection.run(
        sql(
          `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'`,
        ),
      )
      await connection.run(
        sql('CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()'),
      )
    })
    let runs = 0
    const cut = engine.write(
      unit(async (connection) => {
        runs++
        await insertItem(connection, 'a')
      }),
    )
    expect(await codeOf(cut)).toBe('commit_unknown')
    expect(runs).toBe(1)
    expect(await storedItems(engine)).toEqual([])
  })
})

describe('units that lose against each other', () => {
  test('a deadlock is run again, and both are committed', async () => {
    const engine = await withItems()
    await engine.write(
      unit(async (connection) => {
        await insertItem(connection, 'a')
        await insertItem(connection, 'b')
      }),
    )
    const bothHoldOne = meeting(2)
    let runs = 0
    const committed = new Map<string, PromiseWithResolvers<void>>(['a', 'b'].map((first) => [first, Promise.withResolvers()]))
    const add = async (first: string, second: string): Promise<void> => {
      let isAgain = false
      await engine.write(
        unit(async (connection) => {
          runs++
          // The server has woken the other one for the row that this one let go; whoever asks for it at once may be faster, and both
          // would hold one again.
          if (isAgain) await committed.get(second)?.promise
          isAgain = true
          await connection.run(sql('UPDATE items SET amount = amount + 1 WHERE name = $1', first))
          await bothHoldOne()
          await connection.run(sql('UPDATE items SET amount = amount + 1 WHERE name = $1', second))
        }),
      )
      committed.get(first)?.resolve()
    }
    await Promise.all([add('a', 'b'), add('b', 'a')])
    expect(await storedItems(engine)).toEqual(['a=2', 'b=2'])
    expect(runs).toBe(3)
  })

  test.each(['wrapped in another error', 'swallowed'])('a lost unit whose error was %s is run again all the same', async (how) => {
    const engine = await withItems()
    let runs = 0
    const answer = await engine.write(
      unit(async (connection) => {
        runs++
        try {
          if (runs === 1) await connection.run(sql(`DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$`))
          await insertItem(connection, 'a')
        } catch (error) {
          if (how !== 'swallowed') throw new Error('the hook failed', { cause: error })
        }
        return runs
      }),
    )
    expect(answer).toBe(2)
    expect(await storedItems(engine)).toEqual(['a=0'])
  })

  test('too often: the caller is told to try again', async () => {
    const engine = await withItems({ retries: 2 })
    let runs = 0
    const lost = engine.write(
      unit(async (connection) => {
        runs++
        await connection.run(sql(`DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$`))
      }),
    )
    await expect(lost).rejects.toMatchObject({ code: 'storage_busy', retryAfter: 1 })
    expect(runs).toBe(3)
  })

  test('a prepared statement that no longer fits its table is prepared anew', async () => {
    const engine = await withItems({ poolSize: 1 })
    const readAll = () => engine.read((connection) => connection.all(sql('SELECT * FROM items')))
    const writeAll = () => engine.write(unit((connection) => connection.all(sql('SELECT * FROM items'))))
    for (const _ of [1, 2, 3]) await readAll()
    await engine.define((connection) => Promise.resolve(connection.run(sql('ALTER TABLE items ADD COLUMN note text'))))
    expect(await readAll()).toEqual([])
    await engine.define((connection) => Promise.resolve(connection.run(sql('ALTER TABLE items DROP COLUMN note'))))
    expect(await writeAll()).toEqual([])
  })
})

describe('a pool whose connections are all in use', () => {
  test('refuses after the wait, and serves again when one is free', async () => {
    const engine = await withItems({ poolSize: 2, connectWait: 500 })
    const allRefused = meeting(3)
    const holding = [1, 2].map(() =>
      engine.write(
        unit(async (connection) => {
          await connection.all(sql('SELECT 1'))
          await allRefused()
        }),
      ),
    )
    const refused = [engine.write(unit(() => 1)), engine.read((connection) => connection.all(sql('SELECT 1')))]
    expect(await Promise.all(refused.map((promise) => codeOf(promise)))).toEqual(['storage_busy', 'storage_busy'])
    await allRefused()
    await Promise.all(holding)
    expect(await storedItems(engine)).toEqual([])
  })

  test('lets them in one after the other when there is time', async () => {
    const engine = await withItems({ poolSize: 2 })
    await Promise.all(Array.from({ length: 40 }, (_, index) => engine.write(unit((connection) => insertItem(connection, `${index}`)))))
    expect(await storedItems(engine)).toHaveLength(40)
  })
})

describe('what the server refuses', () => {
  test.each([
    ['53100', 'storage_full'],
    ['53200', 'storage_unavailable'],
    ['58030', 'storage_unavailable'],
    ['57P01', 'storage_unavailable'],
    ['08006', 'storage_unavailable'],
    ['55P03', 'storage_busy'],
    ['57014', 'transaction_timeout'],
    ['22012', 'internal_error'],
  ])('%s becomes %s, and its text stays private', async (state, code) => {
    const engine = await openFresh()
    const failing = engine.write(
      unit((connection) => connection.run(sql(`DO $$ BEGIN RAISE EXCEPTION 'secret text' USING ERRCODE = '${state}'; END $$`))),
    )
    const error = await failing.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code })
    expect(String(error)).not.toContain('secret')
    expect(await engine.read((connection) => connection.all(sql('SELECT 1 AS one')))).toEqual([{ one: 1 }])
  })

  test('a broken constraint tells its kind, table and name, and no value', async () => {
    const engine = await withItems()
    await engine.define((connection) =>
      Promise.resolve(connection.run(sql('CREATE TABLE notes (id int PRIMARY KEY, item bigint REFERENCES items)'))),
    )
    const fails = (text: string) => engine.write(unit((connection) => connection.run(sql(text)))).catch((error: unknown) => error)
    await engine.write(unit((connection) => insertItem(connection, 'secret')))
    const twice = await fails(`INSERT INTO items (name) VALUES ('secret')`)
    expect(twice).toMatchObject({ kind: 'unique', table: 'items', constraint: 'items_name_key' })
    expect(String(twice)).not.toContain('secret')
    expect(await fails('INSERT INTO notes VALUES (1, 99)')).toMatchObject({
      kind: 'reference',
      table: 'notes',
      constraint: 'notes_item_fkey',
    })
    expect(await fails('INSERT INTO items (amount) VALUES (-1)')).toMatchObject({
      kind: 'check',
      table: 'items',
      constraint: 'items_amount_check',
    })
    expect(await fails('INSERT INTO items (amount) VALUES (NULL)')).toMatchObject({ kind: 'notNull', table: 'items', columns: ['amount'] })
  })

  test('a statement over the statement timeout is stopped', async () => {
    const engine = await openFresh({ statementTimeout: 500 })
    expect(await codeOf(engine.read(async (connection) => connection.all(sql('SELECT pg_sleep(60)'))))).toBe('transaction_timeout')
    expect(await engine.health()).toBeDefined()
  })

  test('a parameter that cannot be sent harms nobody else', async () => {
    const engine = await openFresh({ poolSize: 1 })
    expect(await codeOf(engine.read(async (connection) => connection.all(sql('SELECT $1::text', Object.create(null)))))).toBe('no error')
    const unspeakable = {
      toPostgres: () => {
        throw new TypeError('no')
      },
    }
    expect(await codeOf(engine.read(async (connection) => connection.all(sql('SELECT $1::text', unspeakable))))).toBe('internal_error')
    expect(await engine.read((connection) => connection.all(sql('SELECT 1 AS one')))).toEqual([{ one: 1 }])
  })
})

describe('opening', () => {
  test('a server that is not there names the place, and never the password', async () => {
    const port = await freePort()
    const error = await openPostgresEngine({ url: `postgres://someone:hush@127.0.0.1:${port}/records` }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(StorageUnavailableError)
    expect(String(error)).toContain(`Cannot open the PostgreSQL database records at 127.0.0.1:${port}: nobody listens there.`)
    expect(String(error)).not.toContain('hush')
  })

  test('a database that is not there', async () => {
    const { url, remove } = await freshPostgres()
    const elsewhere = new URL(url)
    elsewhere.pathname = '/no_such_database'
    await expect(openPostgresEngine({ url: elsewhere.href.replaceAll('+', '%20') })).rejects.toThrow('there is no database of that name')
    await remove()
  })

  test('a search_path without a schema', async () => {
    const { url, remove } = await freshPostgres()
    await remove()
    await expect(openPostgresEngine({ url })).rejects.toMatchObject({ code: 'invalid_options' })
  })

  test.each([{ url: 'no url at all' }, { poolSize: 0 }, { retries: -1 }, { connectWait: 1.5 }])(
    'options that make no sense: %o',
    async (wrong) => {
      const { url, remove } = await freshPostgres()
      await expect(openPostgresEngine({ url, ...wrong })).rejects.toMatchObject({ code: 'invalid_options' })
      await remove()
    },
  )
})
