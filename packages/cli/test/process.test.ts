import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStorage } from '@strongroom/core'
import { runScript } from '@strongroom/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { makeAccessors } from './models.ts'
import { freshFolder } from './support.ts'

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const root = file('../../../')

/** What a user installs: the packages as they are built, which the check of types did when it is new enough. */
function build(): string {
  const [main, index] = [file('../dist/main.js'), file('../../core/dist/index.js')]
  const sources = ['../src/run.ts', '../src/main.ts', '../../core/src/view.ts'].map((path) => statSync(file(path)).mtimeMs)
  if (existsSync(main) && existsSync(index) && statSync(main).mtimeMs > Math.max(...sources)) return main
  const packages = ['contract', 'core', 'cli'].map((name) => `packages/${name}`)
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-b', ...packages], { cwd: root, encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
  return main
}

test('Ctrl-C ends a download, leaves no file and tells the shell', async () => {
  const folder = await freshFolder()
  const slow = createServer((_request, reply) => void reply.writeHead(200, { 'content-type': 'application/zip' }).write('PK')).listen(
    0,
    '127.0.0.1',
  )
  onTestFinished(() => {
    slow.closeAllConnections()
    slow.close()
  })
  await new Promise((resolve) => slow.once('listening', resolve))
  const asked = new Promise((resolve) => slow.once('request', resolve))
  const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`
  const script = runScript(file('../src/main.ts'), { args: ['export', url, '-o', join(folder, 'x.zip')], cwd: folder })
  await asked
  expect(await script.kill('SIGINT')).toEqual({ code: 130, signal: null })
  expect([script.output(), readdirSync(folder)]).toEqual(['', []])
})

test('the built program works by itself', { timeout: 60_000 }, async () => {
  const main = build()
  const folder = await freshFolder()
  const [users, tasks] = makeAccessors()
  const storage = await openStorage({ url: `sqlite:${join(folder, 'app.db')}`, accessors: [users, tasks] })
  await users.insert({ name: 'Ada' }, { actor: 'admin' })
  await storage.close()
  const call = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  expect(call('backup', 'app.db', '-o', 'b.sqlite', '--json')).toEqual({
    status: 0,
    stdout: `{"status":"ok","file":"b.sqlite","bytes":${statSync(join(folder, 'b.sqlite')).size}}\n`,
    stderr: '',
  })
  const audit = call('audit', 'b.sqlite', '--actor', 'admin', '--since', '2026-01-01')
  expect([audit.status, audit.stdout]).toEqual([0, expect.stringMatching(/^TIME.*\n.*admin {2}create {5}users\/1/)])
  expect(readdirSync(folder).toSorted()).toEqual(['app.db', 'b.sqlite'])
})
