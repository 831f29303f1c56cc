import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describeEngines } from '@strongroom/testkit'
import jsonwebtoken, { type JwtHeader, type SignOptions } from 'jsonwebtoken'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { deriveKey } from '../src/digest.ts'
import { addUser, asWho, bearer, secret, signIn, startServer, statusOf } from './support.ts'

/** What an attacker with another library makes of a token of ours. */
interface Forgery {
  readonly title: string
  readonly token: string
}

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const claimsOf = (token: string): Record<string, unknown> => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const headerOf = (token: string): JwtHeader => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())

/** Signs with jsonwebtoken, which leaves the `iat` of the claims as it is. */
function sign(claims: object, key: string | Buffer | KeyObject, header: object, algorithm: SignOptions['algorithm'] = 'HS256') {
  return jsonwebtoken.sign({ ...claims }, key, { algorithm, header: { ...header, alg: algorithm } as JwtHeader })
}

/** Signs with keys that jsonwebtoken would not take. */
function signAnyway(claims: object, key: string | Buffer, header: object): string {
  const content = `${encode(header)}.${encode(claims)}`
  return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`
}

/** Tokens that have to be refused. `key` is the server's own, which even a careless insider has no use for. */
function forgeries(good: string, key: Buffer): Forgery[] {
  const header = headerOf(good)
  const claims = claimsOf(good)
  const [head = '', body = '', tail = ''] = good.split('.')
  const now = Math.floor(Date.now() / 1000)
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  const own = (changes: object, changedHeader: object = {}): string => sign({ ...claims, ...changes }, key, { ...header, ...changedHeader })
  const without = (name: string): string => sign(Object.fromEntries(Object.entries(claims).filter(([each]) => each !== name)), key, header)
  const odd = [
    '',
    ' ',
    '0',
    '../../etc/passwd',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
    'x'.repeat(500),
    `${header.kid}\0`,
    null,
    7,
    [header.kid],
    { kid: header.kid },
  ]
  return [
    ...['none', 'None', 'NONE', ''].flatMap((alg) => [
      { title: `alg ${alg} without signature`, token: `${encode({ ...header, alg })}.${body}.` },
      { title: `alg ${alg} with the old signature`, token: `${encode({ ...header, alg })}.${body}.${tail}` },
    ]),
    { title: 'no signature', token: `${head}.${body}.` },
    { title: 'RS256 by a key of the attacker', token: sign(claims, privateKey, header, 'RS256') },
    {
      title: 'RS256 by a key that comes along',
      token: sign(claims, privateKey, { ...header, jwk: publicKey.export({ format: 'jwk' }) }, 'RS256'),
    },
    {
      title: 'RS256 by a key that is to be fetched',
      token: sign(claims, privateKey, { ...header, jku: 'http://127.0.0.1:9/keys' }, 'RS256'),
    },
    { title: 'HS256 with a public key as the secret', token: signAnyway(claims, pem, header) },
    { title: 'HS512 with the right key', token: sign(claims, key, header, 'HS512') },
    { title: 'HS256 with an empty key', token: `${head}.${body}.${encode('')}` },
    { title: 'HS256 with a key that is guessed', token: sign(claims, 'secret', header) },
    { title: 'HS256 with the secret itself', token: sign(claims, secret, header) },
    { title: 'an unknown crit', token: own({}, { crit: ['exp', 'http://example.com/unknown'], 'http://example.com/unknown': true }) },
    { title: 'an empty crit', token: own({}, { crit: [] }) },
    { title: 'a payload that is not encoded', token: own({}, { crit: ['b64'], b64: false }) },
    ...odd.map((kid) => ({ title: `kid ${JSON.stringify(kid)?.slice(0, 30)}`, token: `${encode({ ...header, kid })}.${body}.${tail}` })),
    { title: 'no kid', token: `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${body}.${tail}` },
    { title: 'expired', token: own({ iat: now - 3600, nbf: now - 3600, exp: now - 60 }) },
    { title: 'an expiry that is no number', token: `${head}.${encode({ ...claims, exp: '9999999999' })}.${tail}` },
    { title: 'a lifetime that nobody gave', token: own({ iat: now - 86_400, exp: now + 86_400 }) },
    { title: 'no expiry', token: without('exp') },
    { title: 'not before tomorrow', token: own({ nbf: now + 86_400 }) },
    { title: 'made tomorrow', token: own({ iat: now + 86_400, exp: now + 90_000 }) },
    { title: 'another issuer', token: own({ iss: 'somebody else' }) },
    { title: 'no issuer', token: without('iss') },
    { title: 'another audience', token: own({ aud: 'another service' }) },
    { title: 'several audiences, not this one', token: own({ aud: ['a', 'b'] }) },
    { title: 'no audience', token: without('aud') },
    { title: 'no subject', token: without('sub') },
    { title: 'no session', token: without('sid') },
    { title: 'no id', token: without('jti') },
    { title: 'no version of the credentials', token: without('ver') },
    { title: 'another kind of JWT', token: own({}, { typ: 'JWT' }) },
    { title: 'a user whom there is not', token: own({ sub: '4711' }) },
    { title: 'a user with an odd id', token: own({ sub: "1' OR '1'='1" }) },
    { title: 'credentials that were replaced', token: own({ ver: 0 }) },
    { title: 'another payload under the signature', token: `${head}.${encode({ ...claims, sub: '2' })}.${tail}` },
    { title: 'another signature', token: `${head}.${body}.${tail.startsWith('A') ? 'B' : 'A'}${tail.slice(1)}` },
    { title: 'four parts', token: `${good}.${tail}` },
    { title: 'a payload that is a list', token: jsonwebtoken.sign('[]', key, { algorithm: 'HS256', header: header as JwtHeader }) },
    { title: 'very long', token: `${head}.${'A'.repeat(100_000)}.${tail}` },
    { title: 'an encrypted one', token: `${encode({ alg: 'dir', enc: 'A256GCM', kid: header.kid })}..AAAA.AAAA.AAAA` },
    { title: 'not a token', token: 'null' },
  ]
}

describeEngines('access tokens', (engine) => {
  describe('made by others', () => {
    let good: string
    let key: Buffer
    let url: string

    beforeAll(async () => {
      url = await engine.freshUrl()
    })

    test('are refused, whatever is wrong with them, with one answer and without a trace in the log', async () => {
      const server = await startServer(engine, { url })
      await addUser(server)
      good = (await signIn(server)).access_token
      expect(headerOf(good)).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: expect.any(String) })
      key = Buffer.from(deriveKey(secret, headerOf(good).kid ?? '', 'access token'))
      const copy = sign(claimsOf(good), key, headerOf(good))
      expect(await statusOf(server, copy)).toBe(200)
      // Remembered from now on; what only ends like it is another one.
      expect(await statusOf(server, good)).toBe(200)
      const answers = new Set<string>()
      const before = await server.storage.audit.count()
      for (const { title, token } of forgeries(good, key)) {
        const response = await asWho(server, bearer(token))
        expect(response.statusCode, `${title}: ${response.body}`).toBe(401)
        answers.add(response.body)
      }
      expect(answers.size).toBe(1)
      expect(await server.storage.audit.count()).toBe(before)
      expect(server.log.filter((line) => !line.includes('no users yet'))).toEqual([])
      expect(await statusOf(server, good)).toBe(200)
    })

    test('a header that is no bearer token, or two ways at once, is refused', async () => {
      const server = await startServer(engine)
      await addUser(server)
      const { access_token } = await signIn(server)
      for (const authorization of ['Bearer', 'Bearer ', `Bearer ${access_token} x`, `bearer,${access_token}`])
        expect((await asWho(server, { authorization })).statusCode, authorization).toBe(401)
      expect((await asWho(server, { authorization: `bearer ${access_token}` })).statusCode).toBe(200)
      expect((await asWho(server, { ...bearer(access_token), 'x-api-key': 'sr_x' })).statusCode).toBe(401)
    })
  })

  test('are over after their minutes, remembered or not', async () => {
    const server = await startServer(engine, { accessTokenMinutes: 0.001 })
    await addUser(server)
    const { access_token, expires_in } = await signIn(server)
    expect(expires_in).toBe(1)
    const claims = claimsOf(access_token)
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(1)
  })

  test('hold with another instance and after a restart', async () => {
    const url = await engine.freshUrl()
    const server = await startServer(engine, { url })
    await addUser(server)
    const { access_token } = await signIn(server)
    expect(await statusOf(await startServer(engine, { url }), access_token)).toBe(200)
    const stranger = await startServer(engine, { url, secret: `${secret} of another` })
    expect(await statusOf(stranger, access_token)).toBe(401)
  })

  describe('keys', () => {
    test('the newest signs, and those before it are accepted until their tokens are over', async () => {
      const url = await engine.freshUrl()
      const server = await startServer(engine, { url })
      const neighbour = await startServer(engine, { url })
      await addUser(server)
      const old = (await signIn(server)).access_token
      await server.auth.rotateSigningKey()
      const fresh = (await signIn(server)).access_token
      expect(headerOf(fresh).kid).not.toBe(headerOf(old).kid)
      for (const token of [old, fresh]) expect(await statusOf(server, token)).toBe(200)
      await server.auth.rotateSigningKey({ refuseOlder: true })
      for (const token of [old, fresh]) expect(await statusOf(server, token)).toBe(401)
      const [signed, restarted] = [(await signIn(server)).access_token, await startServer(engine, { url })]
      expect(await statusOf(restarted, signed)).toBe(200)
      expect(await statusOf(restarted, old)).toBe(401)
      expect((await neighbour.storage.audit.find({ component: 'auth_signing_keys' })).length).toBeGreaterThan(3)
    })

    describe('when the clock is set back', () => {
      const now = new Date('2030-01-01T12:00:00Z')
      const hourAgo = new Date('2030-01-01T11:00:00Z')
      beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now }))
      afterEach(() => void vi.useRealTimers())

      test('those of before are refused all the same where all sessions are ended, and a new one signs', async () => {
        const server = await startServer(engine)
        await addUser(server)
        vi.setSystemTime(hourAgo)
        const { access_token } = await signIn(server)
        expect(await statusOf(server, access_token)).toBe(200)
        await server.auth.endAllSessions()
        expect(await statusOf(server, access_token)).toBe(401)
        const fresh = (await signIn(server)).access_token
        expect(headerOf(fresh).kid).not.toBe(headerOf(access_token).kid)
        expect(await statusOf(server, fresh)).toBe(200)
      })

      test('those that were refused stay so', async () => {
        const url = await engine.freshUrl()
        const server = await startServer(engine, { url })
        await addUser(server)
        const { access_token } = await signIn(server)
        vi.setSystemTime(now.getTime() + 60_000)
        await server.auth.endAllSessions()
        vi.setSystemTime(now)
        expect(await statusOf(await startServer(engine, { url }), access_token)).toBe(401)
      })

      test('those that another instance refuses are refused within half a minute', async () => {
        const url = await engine.freshUrl()
        const server = await startServer(engine, { url })
        const neighbour = await startServer(engine, { url })
        await addUser(server)
        const { access_token } = await signIn(server)
        vi.setSystemTime(now.getTime() - 1_000)
        expect(await statusOf(server, access_token)).toBe(200)
        await neighbour.auth.endAllSessions()
        vi.setSystemTime(now.getTime() - 40_000)
        vi.advanceTimersByTime(30_000)
        expect(await statusOf(server, access_token)).toBe(401)
      })
    })

    test('a new one signs by itself after its days', async () => {
      const server = await startServer(engine, { keyRotationDays: 1e-9 })
      await addUser(server)
      const [one, two] = [(await signIn(server)).access_token, (await signIn(server)).access_token]
      expect(headerOf(one).kid).not.toBe(headerOf(two).kid)
      for (const token of [one, two]) expect(await statusOf(server, token)).toBe(200)
    })

    test('are not in the database where they are derived from a secret, and are there, as secrets, where not', async () => {
      const kept = async (server: Awaited<ReturnType<typeof startServer>>) => {
        const rows = await server.storage.kysely
          .selectFrom('auth_signing_keys' as never)
          .selectAll()
          .execute()
        return (rows as { material: string | null }[]).map(({ material }) => material)
      }
      expect(await kept(await startServer(engine))).toEqual([null])
      const url = await engine.freshUrl()
      const server = await startServer(engine, { url, secret: undefined })
      expect(await kept(server)).toEqual([expect.stringMatching(/^[\w-]{43}$/)])
      await addUser(server)
      const { access_token } = await signIn(server)
      expect(await statusOf(await startServer(engine, { url, secret: undefined }), access_token)).toBe(200)
    })
  })
})
