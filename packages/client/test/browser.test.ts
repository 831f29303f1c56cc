import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { describeEngines } from '@strongroom/testkit'
import { build } from 'vite'
import { beforeAll, describe, expect, test } from 'vitest'
import type * as Package from '../src/index.ts'
import { ada, startServer, type TestModels } from './support.ts'

describe('in a browser, the client', () => {
  let script = ''
  beforeAll(async () => {
    const built = await build({
      configFile: false,
      logLevel: 'silent',
      resolve: { conditions: ['strongroom-source'] },
      build: {
        write: false,
        lib: { entry: fileURLToPath(new URL('../src/index.ts', import.meta.url)), formats: ['iife'], name: 'strongroom' },
      },
    })
    script = [built].flat().flatMap((part) => ('output' in part ? part.output : []))[0]?.['code' as never] ?? ''
  })

  test('is small', () => {
    // bytes; the whole package with all its errors, as a page would load it
    expect(gzipSync(script).length).toBeLessThan(8_000)
  })

  describeEngines('with nothing but what every browser has', (engine) => {
    test('reads and writes', async () => {
      const { baseUrl } = await startServer(engine)
      const { fetch, Headers, AbortController, crypto, setTimeout, clearTimeout } = globalThis
      const page = createContext({ fetch, Headers, AbortController, crypto, setTimeout, clearTimeout })
      // the script leaves what the package exports under its name
      const { createClient, ref, NotFoundError } = runInContext(`${script};strongroom`, page) as typeof Package
      const client = createClient<TestModels>({ baseUrl, actor: 'browser' })
      const [{ record }] = await client.batch([
        { method: 'create', component: 'users', body: ada },
        { method: 'update', component: 'users', id: ref(0, 'id'), body: { age: 36 } },
      ])
      expect(record).toMatchObject({ created_by: 'browser', age: null })
      const read = await client.users.get(record.id)
      expect(read).toMatchObject({ age: 36 })
      expect(await client.users.list({ where: { name: { startsWith: 'A' } } })).toMatchObject({ total: 1 })
      const error = await client.users.update(9, { age: 1 }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(NotFoundError)
    })
  })

  test('makes keys on pages without HTTPS, where there are no UUIDs', async () => {
    const keys: string[] = []
    const fetch = (_url: string, { headers }: { headers: Headers }) => {
      keys.push(headers.get('idempotency-key') ?? '')
      return Promise.resolve(new Response('{"id":"a"}'))
    }
    const { Headers, AbortController, setTimeout, clearTimeout } = globalThis
    const plain = { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) }
    const page = createContext({ fetch, Headers, AbortController, setTimeout, clearTimeout, crypto: plain, Uint8Array })
    const { createClient } = runInContext(`${script};strongroom`, page) as typeof Package
    const client = createClient<TestModels>({ baseUrl: '/api' })
    await client.users.update(1, { age: 1 })
    await client.users.update(1, { age: 1 })
    expect(keys.every((key) => key.length > 20)).toBe(true)
    expect(new Set(keys).size).toBe(2)
  })
})
