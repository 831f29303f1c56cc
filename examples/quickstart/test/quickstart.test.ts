import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { curlRequests, describeEngines, freePort, type RunningScript, runScript, tempFolder } from '@strongroom/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
const rows = { countries: 249, regions: 3987, navaids: 11_008 }

/** Starts what `npm start` starts. */
async function start(url: string): Promise<RunningScript & { origin: string }> {
  const port = await freePort()
  const script = runScript(main, { env: { DATABASE_URL: url, PORT: String(port), HOST: undefined, NODE_ENV: undefined } })
  onTestFinished(async () => {
    await script.kill()
  })
  return { ...script, origin: `http://127.0.0.1:${port}` }
}

const served = (script: RunningScript) => script.line(/^Stop it with Ctrl-C\.$/)

describeEngines('npm start', (engine) => {
  test('loads the data, serves it, and prints URLs and curl lines that work', { timeout: 60_000 }, async () => {
    const script = await start(await engine.freshUrl())
    await served(script)
    for (const [component, count] of Object.entries(rows)) {
      const response = await fetch(`${script.origin}/${component}?limit=1`)
      expect(response.headers.get('x-total-count')).toBe(String(count))
    }

    const urls = script.output().match(/^ {2}http:\S+/gm) ?? []
    expect(urls.length).toBeGreaterThan(3)
    for (const url of urls) expect((await fetch(url.trim())).status, url).toBe(200)

    const lines = script.output().match(/^ {2}curl .*$/gm) ?? []
    const answers = []
    for (const { url, method, headers, body } of curlRequests(lines.join('\n'))) {
      const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) })
      expect(response.status, url).toBe(200)
      answers.push(await response.json())
    }
    expect(answers).toEqual([
      [
        expect.objectContaining({ name: 'Akureyri', country: 'IS', type: 'VOR-DME', elevation_ft: 2053 }),
        expect.objectContaining({ name: 'Ingo', country: 'IS', type: 'VOR-DME', elevation_ft: 8 }),
      ],
      expect.objectContaining({ id: 89_286, name: 'Ogur', power: 'LOW', updated_by: 'me' }),
      [
        expect.objectContaining({ operation: 'update', actor: 'me', before: expect.objectContaining({ power: 'UNKNOWN' }) }),
        expect.objectContaining({ operation: 'create', actor: 'quickstart', request_id: 'quickstart-load' }),
      ],
    ])
  })

  test('loads nothing when it is started again, and keeps what was changed', { timeout: 60_000 }, async () => {
    const url = await engine.freshUrl()
    const first = await start(url)
    await served(first)
    await fetch(`${first.origin}/navaids/89286`, { method: 'DELETE', headers: { 'x-user': 'me' } })
    expect(await first.kill('SIGINT')).toEqual({ code: 0, signal: null })

    const second = await start(url)
    await served(second)
    expect(second.output()).not.toMatch(/rows/)
    expect((await fetch(`${second.origin}/navaids/89286`)).status).toBe(404)
    const log = await fetch(`${second.origin}/db/audit?component=navaids&limit=2`)
    expect(await log.json()).toEqual([
      expect.objectContaining({ operation: 'soft_delete', record_id: 89_286 }),
      expect.objectContaining({ operation: 'create' }),
    ])
    expect(await second.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })

  test('goes on with the load after it was killed in the middle', { timeout: 60_000 }, async () => {
    const url = await engine.freshUrl()
    const first = await start(url)
    await first.line(/^navaids\.csv: 2000 of 11008 rows$/)
    await first.kill('SIGKILL')
    const second = await start(url)
    await second.line(/^navaids\.csv: \d+ of 11008 rows were loaded before, going on$/)
    await served(second)
    const response = await fetch(`${second.origin}/navaids?limit=1`)
    expect(response.headers.get('x-total-count')).toBe('11008')
  })

  test('stops cleanly in the middle of the load', { timeout: 60_000 }, async () => {
    const script = await start(await engine.freshUrl())
    await script.line(/^navaids\.csv: 2000 of 11008 rows$/)
    expect(await script.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  })
})

describe('npm start', () => {
  test('says so when the port is taken', async () => {
    const other = createServer()
    const port = await freePort()
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const folder = await tempFolder('quickstart')
    onTestFinished(folder.remove)
    const script = runScript(main, { env: { DATABASE_URL: `sqlite:${folder.path}/taken.db`, PORT: String(port), HOST: undefined } })
    expect(await script.ended).toEqual({ code: 1, signal: null })
    expect(script.output()).toContain(
      `Something else listens at 127.0.0.1:${port} already. Stop it, or choose another port: PORT=3001 npm start`,
    )
    expect(script.output()).not.toContain('    at ')
  })

  test('says so when the database cannot be opened', async () => {
    const script = runScript(main, {
      env: { DATABASE_URL: 'mysql://127.0.0.1/quickstart', PORT: String(await freePort()), HOST: undefined },
    })
    expect(await script.ended).toEqual({ code: 1, signal: null })
    expect(script.output()).toContain('Use sqlite:./app.db or postgres://user:password@host/database.')
    expect(script.output()).not.toContain('    at ')
  })
})
