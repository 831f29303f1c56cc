import { beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { codeOf, endSession, insertItem, makeItems, openFresh, processOf, sql, unit } from './postgres-support.ts'

let engine: Engine

beforeAll(async () => {
  // one connection: whoever forgets to give it back is noticed by the next test
  engine = await openFresh({ poolSize: 1, connectWait: 2_000 })
})

const numbers = (last: number) => sql('SELECT number FROM generate_series(1, $1::int) AS number', last)

async function sizes(stream: AsyncIterable<unknown[]>): Promise<number[]> {
  const found: number[] = []
  for await (const chunk of stream) found.push(chunk.length)
  return found
}

describe('a stream of rows', () => {
  test('comes in chunks, the last one smaller', async () => {
    expect(await sizes(engine.stream(numbers(10), 4))).toEqual([4, 4, 2])
    expect(await sizes(engine.stream(numbers(8), 4))).toEqual([4, 4])
    expect(await sizes(engine.stream(numbers(0), 4))).toEqual([])
  })

  test('has the rows in order', async () => {
    const found: unknown[] = []
    for await (const chunk of engine.stream(numbers(5), 2)) found.push(...chunk.map((row) => row['number']))
    expect(found).toEqual([1, 2, 3, 4, 5])
  })

  test('gives its connection back when the reader leaves early, or throws', async () => {
    for await (const _ of engine.stream(numbers(100), 2)) break
    const throwing = async () => {
      for await (const _ of engine.stream(numbers(100), 2)) throw new Error('enough')
    }
    await expect(throwing()).rejects.toThrow('enough')
    expect(await engine.health()).toBeDefined()
  })

  test('fails where its statement does, at the start or on the way', async () => {
    expect(await codeOf(sizes(engine.stream(sql('SELECT nonsense'), 2)))).toBe('internal_error')
    expect(await codeOf(sizes(engine.stream(sql('SELECT 1 / (5 - number) FROM generate_series(1, 9) AS number'), 2)))).toBe(
      'internal_error',
    )
    expect(await engine.health()).toBeDefined()
  })

  test('writes nothing', async () => {
    expect(await codeOf(sizes(engine.stream(sql(`SELECT nextval('nothing')`), 2)))).not.toBe('no error')
    expect(await codeOf(sizes(engine.stream(sql('CREATE TABLE x (id int)'), 2)))).not.toBe('no error')
  })

  test('starts on a new connection when the pooled one is dead', async () => {
    await endSession(await engine.read(processOf))
    expect(await sizes(engine.stream(numbers(3), 2))).toEqual([2, 1])
  })

  test('reads one snapshot, whatever is written meanwhile', async () => {
    const busy = await openFresh()
    await makeItems(busy)
    await busy.write(
      unit(async (connection) => {
        for (const name of ['a', 'b', 'c']) await insertItem(connection, name)
      }),
    )
    const found: unknown[] = []
    for await (const chunk of busy.stream(sql('SELECT name FROM items ORDER BY name'), 1)) {
      found.push(chunk[0]?.['name'])
      if (found.length === 1) await busy.write(unit((connection) => connection.run(sql(`UPDATE items SET name = name || '!'`))))
    }
    expect(found).toEqual(['a', 'b', 'c'])
  })

  test('is ended when the engine closes, and its reader told; one that is through before is not', async () => {
    const closing = await openFresh()
    const [half, whole] = [1, 2].map(() => closing.stream(numbers(4), 2)[Symbol.asyncIterator]())
    for (const stream of [half, whole, whole]) expect((await stream?.next())?.value).toHaveLength(2)
    expect((await whole?.next())?.done).toBe(true)
    await closing.close()
    expect(await codeOf(Promise.resolve(half?.next()))).toBe('storage_closed')
    expect(await codeOf(sizes(closing.stream(numbers(4), 2)))).toBe('storage_closed')
  })
})
