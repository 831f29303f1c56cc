import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describeEngines } from '@strongroom/testkit'
import { expect, test } from 'vitest'
import { startWatched } from '../metrics-support.ts'

const rules = fileURLToPath(new URL('../../../../docs/monitoring/strongroom.rules.yml', import.meta.url))

describeEngines('the metrics of a server whose users sign in', (engine) => {
  test('are as Prometheus wants them, and the alerts on them ask for none that are not there', async () => {
    const server = await startWatched(engine)
    try {
      const body = await server.metrics()
      const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
      expect({ status, said: `${error?.message ?? ''}${stdout}${stderr}` }).toEqual({ status: 0, said: '' })
      const names = new Set([...body.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name))
      const asked = (await readFile(rules, 'utf8')).matchAll(/\bstrongroom_(?:log|lock|refresh|revocation)\w+/g)
      const wanted = [...new Set([...asked].map(([name]) => name))]
      expect(wanted.length).toBeGreaterThan(2)
      expect(wanted.filter((name) => !names.has(name))).toEqual([])
    } finally {
      await server.close()
    }
  })
})
