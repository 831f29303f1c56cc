import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { asSuperuser, freePort, freshPostgres, type PostgresCluster, stallingProxy, startPostgresCluster } from '@strongroom/testkit'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { readHosts } from '../../src/engine/postgres/hosts.ts'
import { openPostgresEngine, type PostgresEngineOptions } from '../../src/engine/postgres/open.ts'
import { codeOf, insertItem, makeItems, openFresh, sql, storedItems, unit } from './postgres-support.ts'

async function opened(url: string, options: Partial<PostgresEngineOptions> = {}): Promise<Engine> {
  const engine = await openPostgresEngine({ url, ...options })
  onTestFinished(() => engine.close())
  return engine
}

/** The URL with other hosts. */
function withHosts(url: string, ...hosts: readonly string[]): string {
  return url.replace(new URL(url).host, hosts.join(','))
}

describe('a URL', () => {
  test.each([
    ['postgres://u:p@one:1/app', ['postgres://u:p@one:1/app'], false],
    ['postgres://u:p@one:1,two:2/app?ssl=1', ['postgres://u:p@one:1/app?ssl=1', 'postgres://u:p@two:2/app?ssl=1'], true],
    ['postgresql://one,two', ['postgresql://one', 'postgresql://two'], true],
    ['postgres://one,two/a?target_session_attrs=any', ['postgres://one/a', 'postgres://two/a'], false],
    ['postgres://one/a?target_session_attrs=read-write&x=a%20b', ['postgres://one/a?x=a%20b'], true],
    ['postgres://[::1]:5,[::2]/a', ['postgres://[::1]:5/a', 'postgres://[::2]/a'], true],
    ['postgres:///a?host=/run/postgres', ['postgres:///a?host=/run/postgres'], false],
  ])('%s names its hosts', (url, urls, primary) => {
    expect(readHosts(url)).toEqual({ urls, primary })
  })

  test.each([
    'postgres://secret@one,/a',
    'postgres://secret@one:x,two/a',
    'postgres://secret@one/a?target_session_attrs=standby',
    'secret',
  ])('%s is refused, and not told again', (url) => {
    expect(() => readHosts(url)).toThrow(expect.objectContaining({ code: 'invalid_options' }))
    expect(() => readHosts(url)).not.toThrow(/secret/)
  })
})

test('a host that is not there is passed over', async () => {
  const database = await freshPostgres()
  onTestFinished(database.remove)
  const { host } = new URL(database.url)
  const engine = await opened(withHosts(database.url, `127.0.0.1:${await freePort()}`, host))
  expect(await engine.read((connection) => connection.all(sql('SELECT 1 AS one')))).toEqual([{ one: 1 }])
})

test('where no host is there, all of them are told', async () => {
  const ports = [await freePort(), await freePort()]
  const url = `postgres://u:secret@127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}/app`
  await expect(openPostgresEngine({ url })).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: `Cannot open the PostgreSQL database app at 127.0.0.1:${ports[0]} or 127.0.0.1:${ports[1]}: nobody listens there.`,
  })
})

test('a unit whose server takes no writes any more runs again on one that does', async () => {
  const database = await freshPostgres()
  onTestFinished(database.remove)
  const role = `reader_${crypto.randomUUID().replaceAll('-', '')}`
  const { host } = new URL(database.url)
  await asSuperuser((client) =>
    client.query(`CREATE ROLE ${role} LOGIN SUPERUSER; ALTER ROLE ${role} SET default_transaction_read_only = on`),
  )
  const url = new URL(withHosts(database.url, host))
  url.username = role
  const engine = await opened(withHosts(url.href.replaceAll('+', '%20'), host, host))
  onTestFinished(async () => {
    await engine.close()
    await asSuperuser((client) => client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`))
  })
  let tries = 0
  await engine.write(
    unit(async (connection) => {
      tries++
      if (tries === 2) await asSuperuser((client) => client.query(`ALTER ROLE ${role} SET default_transaction_read_only = off`))
      await connection.run(sql('CREATE TABLE IF NOT EXISTS moved (id int)'))
    }),
  )
  expect(tries).toBeGreaterThan(2)
})

describe('while no server can be reached', () => {
  test('one caller tries at a time, the others wait for it, and all of them are served when there is one', async () => {
    const database = await freshPostgres()
    onTestFinished(database.remove)
    const target = new URL(database.url)
    const sockets = new Set<Socket>()
    let [connected, refusals] = [0, 0]
    const server = createServer((client) => {
      connected++
      if (refusals-- > 0) return client.destroy()
      const upstream = connect(Number(target.port), target.hostname)
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('error', () => undefined).once('close', () => [client, upstream].map((one) => one.destroy()))
      }
      client.pipe(upstream).pipe(client)
      return undefined
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const engine = await opened(withHosts(database.url, `127.0.0.1:${(server.address() as AddressInfo).port}`), { connectWait: 20_000 })
    await makeItems(engine)
    connected = 0
    refusals = 14
    for (const socket of sockets) socket.destroy()
    await Promise.all(Array.from({ length: 50 }, (_, index) => engine.write(unit((connection) => insertItem(connection, `${index}`)))))
    expect(await storedItems(engine)).toHaveLength(50)
    // Ten that found out together, then one after the other, and the pool's connections once it went well.
    expect(connected).toBeLessThanOrEqual(14 + 10)
  })

  test('callers are refused after the wait', async () => {
    const cut = await stallingProxy((await freshPostgres()).url)
    const engine = await openPostgresEngine({ url: cut.url, connectWait: 200 })
    await cut.close()
    expect(await codeOf(engine.write(unit((connection) => connection.run(sql('SELECT 1')))))).toBe('storage_unavailable')
    await engine.close()
  })
})

test('connections that lie behind a cut line are found out before they are used', async () => {
  const database = await freshPostgres()
  onTestFinished(database.remove)
  const line = await stallingProxy(database.url)
  const { host } = new URL(database.url)
  // The first host is reached over a line that will be cut; the second one is the same server.
  const engine = await opened(withHosts(line.url, new URL(line.url).host, host), { connectWait: 2_000 })
  onTestFinished(() => line.close())
  await makeItems(engine)
  await Promise.all(Array.from({ length: 5 }, (_, index) => engine.write(unit((connection) => insertItem(connection, `${index}`)))))
  line.stall()
  expect(await codeOf(engine.write(unit((connection) => insertItem(connection, 'lost'), { timeLimit: 300 })))).toBe('transaction_timeout')
  // Four more lie in the pool, and none of them is handed out: each of these has the whole time of a unit, and no more.
  await Promise.all(Array.from({ length: 4 }, (_, index) => engine.write(unit((connection) => insertItem(connection, `later ${index}`)))))
  expect(await storedItems(engine)).toHaveLength(9)
})

describe('the server ends by itself', () => {
  test('a statement that takes longer than the limit', async () => {
    const engine = await openFresh({ statementTimeout: 50 })
    expect(await codeOf(engine.write(unit((connection) => connection.all(sql('SELECT pg_sleep(60)')))))).toBe('transaction_timeout')
  })

  test('a transaction in which nothing is asked for longer than the limit, unless its own is longer', async () => {
    const engine = await openFresh({ idleInTransactionTimeout: 50 })
    const limitOf = (timeLimit: number) =>
      engine.write(
        unit((connection) => connection.all(sql(`SELECT current_setting('idle_in_transaction_session_timeout') AS told`)), { timeLimit }),
      )
    expect(await limitOf(49)).toEqual([{ told: '50ms' }])
    expect(await limitOf(50)).toEqual([{ told: '0' }])
    const hangs = engine.write(
      unit(
        async (connection) => {
          await connection.all(sql(`SELECT set_config('idle_in_transaction_session_timeout', '50', true)`))
          await new Promise((resolve) => setTimeout(resolve, 300))
          await connection.all(sql('SELECT 1'))
        },
        { timeLimit: 10_000 },
      ),
    )
    expect(await codeOf(hangs)).toBe('storage_unavailable')
  })
})

describe('a primary with its standby', () => {
  let cluster: PostgresCluster
  beforeAll(async () => {
    cluster = await startPostgresCluster()
  })
  afterAll(() => cluster.stop())

  const superuser = async (url: string, text: string): Promise<void> => {
    const client = new pg.Client(url)
    await client.connect()
    await client.query(text)
    await client.end()
  }

  test('is found whatever comes first in the URL', async () => {
    const standbyFirst = withHosts(cluster.primaryUrl, new URL(cluster.standbyUrl).host, new URL(cluster.primaryUrl).host)
    const engine = await opened(standbyFirst)
    await makeItems(engine)
    await engine.write(unit((connection) => insertItem(connection, 'first')))
    const reading = await opened(`${cluster.standbyUrl}?target_session_attrs=any`)
    expect(await codeOf(reading.write(unit((connection) => insertItem(connection, 'no'))))).toBe('storage_unavailable')
    await expect(openPostgresEngine({ url: `${cluster.standbyUrl}?target_session_attrs=primary` })).rejects.toMatchObject({
      message: expect.stringContaining('it is a standby, which only reads'),
    })
  })

  test('fails over: what waits is served by the standby once it was promoted, and a commit that nobody confirmed is told apart', async () => {
    const engine = await opened(cluster.url, { connectWait: 20_000 })
    await engine.write(unit((connection) => insertItem(connection, 'before')))
    // Somebody gives up on the standby's word: the commit is on the primary alone.
    await superuser(cluster.primaryUrl, `ALTER SYSTEM SET synchronous_standby_names = 'nobody'`)
    await superuser(cluster.primaryUrl, 'SELECT pg_reload_conf()')
    const told = codeOf(
      engine.write(
        unit(async (connection) => {
          await connection.all(sql(`SELECT set_config('statement_timeout', '300', true)`))
          await insertItem(connection, 'unconfirmed')
        }),
      ),
    )
    expect(await told).toBe('commit_unknown')
    await cluster.killPrimary()
    const waiting = Promise.all(
      Array.from({ length: 20 }, (_, index) => engine.write(unit((connection) => insertItem(connection, `${index}`)))),
    )
    await cluster.promoteStandby()
    await waiting
    const stored = await storedItems(engine)
    expect(stored).toContain('before=0')
    expect(stored).toHaveLength(stored.includes('unconfirmed=0') ? 23 : 22)
  })
})
