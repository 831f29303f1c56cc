import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { progressOn } from '../src/output/progress.ts'
import { strongroom } from './support.ts'

const running = { id: 'j-1', state: 'running', progress: { phase: 'writing', rows: 1234, bytes: 1 }, result: null, error: null }

/** A server that takes an import as a job and tells of it what the test says, one after the other; `lost` breaks the connection. */
async function serverOf(states: readonly object[]): Promise<{ readonly url: string; readonly asked: string[] }> {
  const left = [...states]
  const asked: string[] = []
  const server = createServer((request, reply) => {
    request.resume()
    asked.push(`${request.method} ${request.url}`)
    if (request.method === 'POST') return reply.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify(running))
    const state = (left.length > 1 ? left.shift() : left[0]) ?? {}
    if ('lost' in state) return request.socket.destroy()
    return reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...running, ...state }))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const importInto = (url: string, signal?: AbortSignal) =>
  strongroom(['import', '-', '--into', url, '--json', '--quiet'], { stdin: Readable.from([Buffer.from('PK')]), ...(signal && { signal }) })

const report = { applied: true, dry_run: false, tables: [], skipped: [], errors: [], error_count: 0 }
const fault = { file: 'a.csv', line: 2, field: 'x', message: 'is wrong' }

test.each([
  ['is done after the server started anew', [{}, { lost: true }, { state: 'done', result: report }], 0, report],
  [
    'has faulty rows',
    [{ state: 'failed', result: { ...report, applied: false, errors: [fault], error_count: 1 } }],
    3,
    { errors: [fault] },
  ],
  ['failed', [{ state: 'failed', error: { code: 'storage_full', message: 'The disk is full.' } }], 1, { error: { code: 'storage_full' } }],
  ['found the database busy', [{ state: 'failed', error: { code: 'storage_busy', message: 'Wait.' } }], 4, { error: { message: 'Wait.' } }],
  ['was cancelled by somebody', [{ state: 'cancelled' }], 1, { error: { message: expect.stringContaining('cancelled the import') } }],
])('an import that %s is told with its exit code', async (_what, states, code, document) => {
  const { url, asked } = await serverOf(states)
  expect(await importInto(url)).toMatchObject({ code, json: document })
  expect(asked.at(0)).toBe('POST /db/import?mode=insert&dry_run=false')
  expect(asked.at(-1)).toBe('GET /db/jobs/j-1')
})

test('an import that is interrupted is cancelled on the server', async () => {
  const ending = new AbortController()
  const { url, asked } = await serverOf([{}])
  const outcome = importInto(url, ending.signal)
  await expect.poll(() => asked.length).toBeGreaterThan(1)
  ending.abort()
  expect((await outcome).code).toBe(130)
  expect(asked.at(-1)).toBe('DELETE /db/jobs/j-1')
})

test('rows that are wrong are told to people who want to hear of nothing else', async () => {
  const { url } = await serverOf([{ state: 'failed', result: { ...report, applied: false, errors: [fault], error_count: 1 } }])
  const told = await strongroom(['import', '-', '--into', url, '--quiet'], { stdin: Readable.from([Buffer.from('PK')]) })
  expect(told).toMatchObject({ code: 3, stdout: expect.stringContaining('a.csv, line 2, x: is wrong\n1 fault') })
})

test('progress is a line on a terminal, and nothing elsewhere', async () => {
  const shownOn = async (isTTY: boolean, work: (progress: ReturnType<typeof progressOn>) => void) => {
    const stderr = Object.assign(new PassThrough(), { isTTY, columns: 70 })
    const other = new PassThrough()
    const progress = progressOn({ stdin: other, stdout: other, stderr, env: {}, signal: new AbortController().signal }, true)
    work(progress)
    progress.end()
    stderr.end()
    return (await text(stderr)).split('\r\u001b[K').filter((line) => line !== '')
  }
  const work = (progress: ReturnType<typeof progressOn>) => {
    progress.step('Downloading', 2_000_000)
    progress.advance(500_000)
    progress.step('Exporting')
    progress.advance(1_500)
    progress.say('row 7')
  }
  expect(await shownOn(true, work)).toEqual(['Downloading  ░░░░░░░░░░░░░░░░░░░░░░░░ 0 %  0 bytes of 2.0 MB  0 s', 'Exporting  0 s'])
  expect(await shownOn(false, work)).toEqual([])
})
