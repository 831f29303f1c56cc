import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { addUser, startServer } from '../support.ts'

const rules = fileURLToPath(new URL('../../../../docs/monitoring/strongroom.rules.yml', import.meta.url))

/** What promtool (of Debian's package prometheus) has to say; a missing one fails. */
function promtool(args: readonly string[], input = ''): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', ['check', ...args], { input, encoding: 'utf8' })
  return { status, said: `${error?.message ?? ''}${stdout}${stderr}` }
}

describeEngines('the metrics', (engine) => {
  test('are as Prometheus wants them, and the alerts ask for none that are not there', async () => {
    const server = await startServer(engine)
    await addUser(server)
    await server.app.inject('/users')
    const { body } = await server.app.inject('/metrics')
    expect(promtool(['metrics'], body)).toEqual({ status: 0, said: '' })
    const names = new Set(
      [...body.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) => (type === 'histogram' ? `${name}_bucket` : [`${name}`])),
    )
    const asked = [...(await readFile(rules, 'utf8')).matchAll(/\b(?:strongroom|http|nodejs|process)_\w+(?=[{\s)[])/g)].map(
      ([name]) => name,
    )
    const absent = ['strongroom_backup_age_seconds', ...(engine.has('oneFile') ? [] : ['strongroom_database_free_disk_bytes'])]
    // Those of @strongroom/auth are for its own test.
    const own = [...new Set(asked)].filter((name) => !/^strongroom_(log|lock|refresh|revocation)/.test(name))
    expect(own.filter((name) => !names.has(name))).toEqual(absent)
  })
})

test('the alert rules pass', () => {
  expect(promtool(['rules', rules])).toMatchObject({ status: 0, said: expect.stringContaining('SUCCESS') })
})
