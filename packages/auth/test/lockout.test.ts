import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { clientAddress } from '../src/attempts/client-address.ts'
import { addUser, bearer, password, post, signIn, startServer, type TestServer } from './support.ts'

const lockout = { accountFailures: 3, addressFailures: 1_000, longestMinutes: 15 }

async function attempt(server: TestServer, email: string, word: string, remoteAddress = '127.0.0.1'): Promise<number> {
  const response = await server.app.inject({ method: 'POST', url: '/auth/token', payload: { email, password: word }, remoteAddress })
  return response.statusCode
}

describeEngines('failures to sign in', (engine) => {
  test('lock the account, known or not, for longer each time, in all instances and after a restart', async () => {
    const url = await engine.freshUrl()
    const [server, neighbour] = [await startServer(engine, { url, lockout }), await startServer(engine, { url, lockout })]
    await addUser(server)
    for (const email of ['ada@example.com', 'nobody@example.com']) {
      expect([
        await attempt(server, email, 'wrong'),
        await attempt(server, email.toUpperCase(), 'wrong'),
        await attempt(neighbour, email, 'wrong'),
      ]).toEqual([401, 401, 401])
      const locked = await post(server, '/token', { email, password })
      expect([locked.statusCode, locked.json().code, locked.headers['retry-after']]).toEqual([429, 'too_many_requests', '1'])
      expect(await attempt(neighbour, email, password)).toBe(429)
    }
    expect(server.log.join() + neighbour.log.join()).toContain('an account waits until')
    await expect.poll(() => attempt(server, 'ada@example.com', 'wrong'), { timeout: 5_000, interval: 100 }).toBe(401)
    const longer = await post(server, '/token', { email: 'ada@example.com', password })
    expect([longer.statusCode, longer.headers['retry-after']]).toEqual([429, '2'])
    const rows = await server.storage.kysely
      .selectFrom('strongroom_counters' as never)
      .selectAll()
      .execute()
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain('example.com')
  })

  test('are in the audit log once for a user who is locked out, and no failure of anybody adds to it', async () => {
    const server = await startServer(engine, { lockout: { ...lockout, longestMinutes: 1 } })
    const { id } = await addUser(server)
    const before = await server.storage.audit.count()
    const names = ['ada@example.com', ...Array.from({ length: 12 }, (_, index) => `nobody${index}@example.com`)]
    for (const email of names) for (let round = 0; round < 4; round++) await attempt(server, email, 'wrong')
    const entries = (await server.storage.audit.find({})).slice(0, (await server.storage.audit.count()) - before)
    expect(entries.map(({ component, operation, actor, after }) => ({ component, operation, actor, user: after?.['user_id'] }))).toEqual([
      { component: 'auth_lockouts', operation: 'create', actor: 'authentication', user: id },
    ])
    const told = Object.fromEntries((server.auth.figures ?? []).map(({ name, read }) => [name, read()]))
    expect(told).toMatchObject({ strongroom_logins_total: 0, strongroom_login_failures_total: 39, strongroom_lockouts_total: 13 })
  })

  test('are counted in one place however the address is written', async () => {
    const server = await startServer(engine, { lockout })
    await addUser(server, { email: 'kim@example.com' })
    // The second begins with the sign for kelvin, whose small letter is k.
    for (const email of ['KIM@EXAMPLE.COM', '\u212aim@example.com ', '\tkim@Example.com'])
      expect(await attempt(server, email, 'wrong')).toBe(401)
    for (const email of ['kim@example.com', 'Kim@example.com', ' \u212aIM@example.com'])
      expect(await attempt(server, email, password)).toBe(429)
    // Who is written otherwise is somebody else.
    expect(await attempt(server, '\uff4bim@example.com', password)).toBe(401)
  })

  test('are guesses one after the other, however many are sent at once', async () => {
    const server = await startServer(engine, { lockout })
    await addUser(server)
    const words = Array.from({ length: 20 }, (_, index) => (index === 19 ? password : `guess ${index}`))
    const answers = await Promise.all(words.map((word) => attempt(server, 'ada@example.com', word)))
    expect(answers.filter((status) => status === 401)).toHaveLength(3)
    expect(answers.filter((status) => status === 429)).toHaveLength(17)
  })

  test('are forgiven to an account when its user signs in', async () => {
    const server = await startServer(engine, { lockout })
    await addUser(server)
    for (let round = 0; round < 3; round++) {
      expect([await attempt(server, 'ada@example.com', 'wrong'), await attempt(server, 'ada@example.com', 'wrong')]).toEqual([401, 401])
      await signIn(server)
    }
  })

  test('lock an address that tries many accounts, which an account of its own does not wash clean', async () => {
    const server = await startServer(engine, { lockout: { ...lockout, addressFailures: 4 } })
    await addUser(server)
    const evil = '203.0.113.9'
    for (const name of ['a', 'b', 'c']) expect(await attempt(server, `${name}@example.com`, 'wrong', evil)).toBe(401)
    expect(await attempt(server, 'ada@example.com', password, evil)).toBe(200)
    expect(await attempt(server, 'd@example.com', 'wrong', evil)).toBe(401)
    expect(await attempt(server, 'ada@example.com', password, evil)).toBe(429)
    expect(await attempt(server, 'ada@example.com', password, '203.0.113.10')).toBe(200)
  })

  test('count where the password is to be changed, too', async () => {
    const server = await startServer(engine, { lockout })
    await addUser(server)
    const { access_token } = await signIn(server)
    const guess = async () =>
      (await post(server, '/password', { current_password: 'wrong', new_password: 'whatever it is' }, bearer(access_token))).statusCode
    expect([await guess(), await guess(), await guess(), await guess()]).toEqual([422, 422, 422, 429])
  })
})

test('addresses of one customer count as one', () => {
  expect(clientAddress('::ffff:203.0.113.9')).toBe('203.0.113.9')
  expect(clientAddress('2001:db8:1:2:aaaa::1')).toBe('2001:db8:1:2::/64')
  expect(clientAddress('2001:0DB8:0001:0002::')).toBe('2001:db8:1:2::/64')
  expect(clientAddress('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
  expect(clientAddress('::1')).toBe('0:0:0:0::/64')
})
