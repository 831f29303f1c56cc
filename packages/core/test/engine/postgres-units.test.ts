import { asSuperuser } from '@strongroom/testkit'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Connection, Engine } from '../../src/engine/engine.ts'
import { codeOf, insertItem, makeItems, openFresh, processOf, sql, storedItems, unit } from './postgres-support.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openFresh({ poolSize: 3 })
  await makeItems(engine)
})

beforeEach(async () => {
  await engine.write(unit((connection) => connection.run(sql('TRUNCATE items'))))
})

describe('a unit of work', () => {
  test('is committed when it resolves, and answers what its code answered', async () => {
    const answer = await engine.write(
      unit(async (connection) => {
        await insertItem(connection, 'a', 1)
        return 'done'
      }),
    )
    expect(answer).toBe('done')
    expect(await storedItems(engine)).toEqual(['a=1'])
  })

  test('is rolled back when its code throws, now or later', async () => {
    await expect(
      engine.write(
        unit(() => {
          throw new Error('at once')
        }),
      ),
    ).rejects.toThrow('at once')
    await expect(
      engine.write(
        unit(async (connection) => {
          await insertItem(connection, 'a')
          throw new Error('later')
        }),
      ),
    ).rejects.toThrow('later')
    expect(await storedItems(engine)).toEqual([])
  })

  test('tells how many rows it changed, and hands out those of RETURNING', async () => {
    await engine.write(
      unit(async (connection) => {
        const rows = await connection.all(sql('INSERT INTO items (name) VALUES ($1), ($2) RETURNING name', 'a', 'b'))
        expect(rows).toEqual([{ name: 'a' }, { name: 'b' }])
        expect(await connection.run(sql('UPDATE items SET amount = 1'))).toBe(2)
        expect(await connection.run(sql('DELETE FROM items WHERE name = $1', 'x'))).toBe(0)
      }),
    )
  })

  test('takes statements at the same time and runs them in order', async () => {
    await engine.write(
      unit(async (connection) => {
        const inserted = Array.from({ length: 50 }, (_, index) => insertItem(connection, `item ${index}`, index))
        const counted = connection.all(sql('SELECT count(*) AS count, sum(amount) AS sum FROM items'))
        await Promise.all(inserted)
        expect(await counted).toEqual([{ count: 50, sum: '1225' }])
      }),
    )
  })

  test('does not touch the database when it has nothing to say to it', async () => {
    expect(await engine.write(unit(() => 'nothing'))).toBe('nothing')
  })

  test('does not see what other units have not committed', async () => {
    await engine.write(
      unit(async (connection) => {
        await insertItem(connection, 'a')
        expect(await storedItems(engine)).toEqual([])
        await engine.write(
          unit(async (other) => {
            expect(await other.all(sql('SELECT name FROM items'))).toEqual([])
          }),
        )
      }),
    )
  })

  test('is READ COMMITTED: it sees what others have committed meanwhile', async () => {
    await engine.write(
      unit(async (connection) => {
        expect(await connection.all(sql('SELECT name FROM items'))).toEqual([])
        await engine.write(unit((other) => insertItem(other, 'a')))
        expect(await connection.all(sql('SELECT name FROM items'))).toEqual([{ name: 'a' }])
      }),
    )
  })

  test('that swallows the error of a statement is not reported as stored', async () => {
    const swallowing = engine.write(
      unit(async (connection) => {
        await insertItem(connection, 'a')
        await insertItem(connection, 'a').catch(() => undefined)
        return 'looks fine'
      }),
    )
    await expect(swallowing).rejects.toMatchObject({ code: 'internal_error', cause: { kind: 'unique' } })
    expect(await storedItems(engine)).toEqual([])
  })

  test('says why later statements fail after an error', async () => {
    await expect(
      engine.write(
        unit(async (connection) => {
          await insertItem(connection, 'a', -1).catch(() => undefined)
          await insertItem(connection, 'b')
        }),
      ),
    ).rejects.toThrow('An earlier statement of this unit failed')
  })
})

describe('a connection', () => {
  test('of a unit that has ended takes nothing more', async () => {
    let kept: Connection | undefined
    await engine.write(
      unit((connection) => {
        kept = connection
      }),
    )
    const finished = { code: 'session_finished' }
    await expect(kept?.all(sql('SELECT 1'))).rejects.toMatchObject(finished)
    await expect(kept?.run(sql('DELETE FROM items'))).rejects.toMatchObject(finished)
    await expect(kept?.raw(sql('SELECT 1'), { write: false })).rejects.toMatchObject(finished)
    expect(() => kept?.savepoint('a')).toThrow(expect.objectContaining(finished))
    await expect(kept?.rollbackTo('a')).rejects.toMatchObject(finished)
  })

  test('of a read that has ended takes nothing more', async () => {
    let kept: Connection | undefined
    await engine.read((connection) => {
      kept = connection
    })
    await expect(kept?.all(sql('SELECT 1'))).rejects.toMatchObject({ code: 'session_finished' })
  })

  test('of a read writes nothing', async () => {
    await engine.read(async (connection) => {
      await expect(connection.run(sql(`INSERT INTO items (name) VALUES ('a')`))).rejects.toMatchObject({ code: 'unaudited_write' })
    })
  })

  test('of a read may be used for several statements at once', async () => {
    const rows = await engine.read((connection) =>
      Promise.all([1, 2, 3, 4, 5, 6].map((number) => connection.all(sql('SELECT $1::int AS number', number)))),
    )
    expect(rows.flat()).toEqual([1, 2, 3, 4, 5, 6].map((number) => ({ number })))
  })
})

describe('savepoints', () => {
  test('keep or undo their part, nested as deep as one likes', async () => {
    await engine.write(
      unit(async (connection) => {
        await connection.savepoint('outer')
        await insertItem(connection, 'a')
        await connection.savepoint('inner "quoted"')
        await insertItem(connection, 'b')
        await connection.rollbackTo('inner "quoted"')
        await insertItem(connection, 'c')
        await connection.release('outer')
      }),
    )
    expect(await storedItems(engine)).toEqual(['a=0', 'c=0'])
  })

  test('bring a unit back after a failed statement', async () => {
    await engine.write(
      unit(async (connection) => {
        await connection.savepoint('a')
        await expect(insertItem(connection, 'a', -1)).rejects.toMatchObject({ kind: 'check' })
        await connection.rollbackTo('a')
        await insertItem(connection, 'b')
      }),
    )
    expect(await storedItems(engine)).toEqual(['b=0'])
  })

  test('may have the same name twice', async () => {
    await engine.write(
      unit(async (connection) => {
        await connection.savepoint('a')
        await insertItem(connection, 'kept')
        await connection.savepoint('a')
        await insertItem(connection, 'undone')
        await connection.rollbackTo('a')
        await connection.release('a')
      }),
    )
    expect(await storedItems(engine)).toEqual(['kept=0'])
  })
})

describe('the time limit', () => {
  test('stops a statement that runs, in the server too', async () => {
    let pid = 0
    const slow = engine.write(
      unit(
        async (connection) => {
          await insertItem(connection, 'a')
          pid = await processOf(connection)
          await connection.all(sql('SELECT pg_sleep(60)'))
        },
        { timeLimit: 50 },
      ),
    )
    expect(await codeOf(slow)).toBe('transaction_timeout')
    const busy = await asSuperuser((client) =>
      client.query(`SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query LIKE '%pg_sleep%'`, [pid]),
    )
    expect(busy.rows).toEqual([])
    expect(await storedItems(engine)).toEqual([])
  })

  test('ends a unit that waits for something else, for ever', async () => {
    let kept: Connection | undefined
    const stuck = engine.write(
      unit(
        async (connection) => {
          kept = connection
          await insertItem(connection, 'a')
          await new Promise(() => {})
        },
        { timeLimit: 50 },
      ),
    )
    expect(await codeOf(stuck)).toBe('transaction_timeout')
    await expect(kept?.run(sql('SELECT 1'))).rejects.toMatchObject({ code: 'session_finished' })
    expect(await storedItems(engine)).toEqual([])
  })

  test('leaves the pool as it was', async () => {
    const slow = Array.from({ length: 9 }, () =>
      engine.write(unit((connection) => connection.all(sql('SELECT pg_sleep(60)')), { timeLimit: 20 })),
    )
    expect(await Promise.all(slow.map(codeOf))).toEqual(Array.from({ length: 9 }, () => 'transaction_timeout'))
    await Promise.all(Array.from({ length: 9 }, (_, index) => engine.write(unit((connection) => insertItem(connection, `${index}`)))))
    expect(await storedItems(engine)).toHaveLength(9)
  })
})

describe('closing', () => {
  test('waits for what runs and refuses what comes later', async () => {
    const closing = await openFresh()
    await makeItems(closing)
    let finish = (): void => undefined
    const mayFinish = new Promise<void>((resolve) => {
      finish = resolve
    })
    const running = closing.write(
      unit(async (connection) => {
        await mayFinish
        await insertItem(connection, 'a')
        return 'finished'
      }),
    )
    const closed = closing.close()
    const attempts: (() => unknown)[] = [
      () => closing.write(unit(() => 1)),
      () => closing.read(() => 1),
      () => closing.health(),
      () => closing.define(async () => 1),
    ]
    for (const late of attempts) {
      expect(await codeOf(Promise.resolve().then(late))).toBe('storage_closed')
    }
    finish()
    expect(await running).toBe('finished')
    await closed
    await closing.close()
  })
})

test('health asks the server and tells its version', async () => {
  expect(await engine.health()).toMatchObject({ version: expect.stringMatching(/^PostgreSQL \d+\.\d+$/) })
})

test('the builder compiles for PostgreSQL and executes nothing', async () => {
  const query = engine.builder.selectFrom('items').selectAll().where('name', '=', 'a')
  expect(query.compile().sql).toBe('select * from "items" where "name" = $1')
  expect(await codeOf(query.execute())).toBe('outer_handle')
})
