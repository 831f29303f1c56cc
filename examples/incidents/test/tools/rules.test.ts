import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../../monitoring/', import.meta.url))

/** What promtool (of Debian's package prometheus) has to say; a missing one fails. */
function promtool(...args: string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' })
  return { status, said: `${error?.message ?? ''}${stdout}${stderr}` }
}

test('the alert rules are ones that Prometheus takes', () => {
  expect(promtool('check', 'rules', 'incidents.rules.yml')).toMatchObject({ status: 0, said: expect.stringContaining('10 rules found') })
})

test('the alert of the revocation store sounds within a minute, and those of drift, accuracy and deadlines when they should', () => {
  expect(promtool('test', 'rules', 'incidents.test.yml')).toMatchObject({ status: 0, said: expect.stringContaining('SUCCESS') })
})

test('the reference values are those that the script makes', async () => {
  const reference = fileURLToPath(new URL('../reference/', import.meta.url))
  const { stdout, stderr } = spawnSync('python3', ['drift.py'], { cwd: reference, encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(`${reference}drift.json`, 'utf8')))
})
