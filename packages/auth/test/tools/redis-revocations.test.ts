import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describeEngines, freePort, type TempFolder, tempFolder } from '@strongroom/testkit'
import { createClient } from 'redis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { redisRevocations } from '../../src/index.ts'
import { addUser, bearer, post, signIn, startServer, statusOf } from '../support.ts'

let folder: TempFolder
let port: number
let redis: ChildProcess
let client: ReturnType<typeof createClient>

/** Debian's redis-server, on a port of its own. */
async function startRedis(): Promise<void> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path, '--appendonly', 'yes', '--appendfsync', 'always']
  redis = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    redis.once('error', reject)
    redis.stdout?.on('data', (text: Buffer) => {
      if (text.includes('Ready to accept connections')) resolve()
    })
  })
}

async function stopRedis(): Promise<void> {
  if (redis.exitCode !== null || redis.signalCode !== null) return
  redis.kill('SIGTERM')
  await once(redis, 'exit')
}

beforeEach(async () => {
  folder = await tempFolder('redis')
  port = await freePort()
  await startRedis()
  client = createClient({ url: `redis://127.0.0.1:${port}`, disableOfflineQueue: true, socket: { reconnectStrategy: 50 } })
  client.on('error', () => undefined)
  await client.connect()
})

afterEach(async () => {
  client.destroy()
  await stopRedis()
  await folder.remove()
})

describeEngines('revocations in Redis', (engine) => {
  test('hold at once, end by themselves, and let nobody in while Redis is down', async () => {
    const revocations = redisRevocations({ sendCommand: (...words) => client.sendCommand(words) })
    const server = await startServer(engine, { revocations })
    await addUser(server)
    const [ended, kept] = [await signIn(server), await signIn(server)]
    expect((await post(server, '/logout', { refresh_token: ended.refresh_token })).statusCode).toBe(200)
    expect([await statusOf(server, ended.access_token), await statusOf(server, kept.access_token)]).toEqual([401, 200])
    const [key = ''] = await client.keys('strongroom:revoked:*')
    expect(await client.pTTL(key)).toBeGreaterThan(900_000)
    expect(await client.pTTL(key)).toBeLessThanOrEqual(960_000)

    await stopRedis()
    expect(await statusOf(server, kept.access_token)).toBe(503)
    expect((await post(server, '/logout', {}, bearer(kept.access_token))).statusCode).toBe(503)
    expect([server.auth.revocations.failures, server.auth.revocations.isDown]).toEqual([2, true])

    await startRedis()
    await expect.poll(() => statusOf(server, kept.access_token), { timeout: 10_000 }).toBe(200)
    expect(await statusOf(server, ended.access_token)).toBe(401)
    expect(server.auth.revocations.isDown).toBe(false)
  })
})

test('a Redis that may not write refuses a revocation', async () => {
  await client.sendCommand(['CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction'])
  const store = redisRevocations({ sendCommand: (...words) => client.sendCommand(words) })
  await expect(store.revoke(['a'], new Date(Date.now() + 1000))).rejects.toThrow(/OOM/)
  expect(await store.findRevoked(['a'])).toEqual([])
})
