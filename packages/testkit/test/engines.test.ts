import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { describeEngines, needs, runScript } from '../src/index.ts'

describeEngines('a fresh database', (engine) => {
  test('has a URL of its own', async () => {
    expect(await engine.freshUrl()).not.toBe(await engine.freshUrl())
  })

  needs(engine, 'oneFile', () => {
    test('does not exist yet, in a folder that does', async () => {
      const file = (await engine.freshUrl()).replace('sqlite:', '')
      expect(existsSync(file)).toBe(false)
      expect(existsSync(dirname(file))).toBe(true)
    })
  })

  needs(engine, 'sessions', () => {
    test('is an empty schema that unqualified names mean', async () => {
      const client = new pg.Client(await engine.freshUrl())
      await client.connect()
      const { rows } = await client.query(
        'SELECT current_schema() AS schema, (SELECT count(*)::int FROM pg_class WHERE relnamespace = current_schema()::regnamespace)',
      )
      await client.end()
      expect(rows).toEqual([{ schema: expect.stringMatching(/^test_[0-9a-f]{16}$/), count: 0 }])
    })
  })
})

// each test copies, creates and starts a server of its own
describe('an embedded server', { timeout: 60_000 }, () => {
  const script = fileURLToPath(new URL('./fixtures/postgres-owner.ts', import.meta.url))

  test('dies with the process that started it, and leaves no files', async () => {
    const owner = runScript(script, { env: { TEST_DATABASE_URL: undefined } })
    const url = (await owner.line(/^postgres:.+$/))[0]
    const folder = (await owner.line(/^files: (.+)$/))[1] ?? ''
    expect(existsSync(folder)).toBe(true)
    await owner.kill('SIGKILL')
    await vi.waitFor(() => expect(connectTo(new URL(url))).rejects.toThrow('ECONNREFUSED'), { timeout: 30_000 })
    await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 30_000 })
  })

  test('does not keep a script alive that has nothing left to do', async () => {
    const owner = runScript(script, { env: { TEST_DATABASE_URL: undefined }, args: ['end'] })
    expect(await owner.ended).toEqual({ code: 0, signal: null })
  })
})

function connectTo({ hostname, port }: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}
