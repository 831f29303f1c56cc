import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { freePort, runScript, tempFolder } from '@strongroom/testkit'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { FolderLock } from '../src/shipper/folder-lock.ts'
import { Shipper, type ShipperOptions, type ShipperProblem } from '../src/shipper/index.ts'

interface Arrival {
  readonly key: string
  readonly idempotencyKey: string
  readonly apiKey: string
  readonly record: { readonly ticket_id: string; readonly [name: string]: unknown }
}

const about = { ticket_id: 'T-1', workflow: 'refund', category: 'billing' }

describe('a shipper', () => {
  let folder: string
  let arrived: Arrival[]
  let answer: (request: IncomingMessage, records: Arrival['record'][]) => number | 'cut' | 'hang' | 'under way'
  let problems: ShipperProblem[]
  let server: Server
  let url: string

  beforeEach(async () => {
    const made = await tempFolder('shipper')
    folder = join(made.path, 'spool')
    arrived = []
    problems = []
    answer = () => 201
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const records = JSON.parse(Buffer.concat(chunks).toString())
      const status = answer(request, records)
      const text = (name: string) => String(request.headers[name])
      const keep = () => {
        for (const { key, ...record } of records)
          arrived.push({ key, record, idempotencyKey: text('idempotency-key'), apiKey: text('x-api-key') })
      }
      if (status === 'hang') return
      if (status === 'cut') {
        keep()
        return void request.socket.destroy()
      }
      if (status === 'under way') {
        response.statusCode = 409
        return void response.end('{"status":409,"code":"state_conflict"}')
      }
      if (status < 300) keep()
      response.statusCode = status
      response.end('{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/logs`
    onTestFinished(async () => {
      server.closeAllConnections()
      server.close()
      await made.remove()
    })
  })

  const open = (more: Partial<ShipperOptions> = {}) => {
    const options = {
      url,
      apiKey: 'k',
      folder,
      backoff: [1, 5],
      timeout: 2000,
      onProblem: (problem: ShipperProblem) => void problems.push(problem),
    } as const
    const shipper = new Shipper({ ...options, ...more })
    onTestFinished(async () => {
      await shipper.close(0)
    })
    return shipper
  }
  const tickets = () => arrived.map(({ record }) => record.ticket_id)

  test('sends what it is given in batches, in order, each record with a key of its own', async () => {
    const shipper = open({ batchSize: 4 })
    const wanted = Array.from({ length: 10 }, (_, index) => `T-${index}`)
    for (const ticket_id of wanted) shipper.ship({ ...about, ticket_id })
    expect(await shipper.flush()).toBe(true)
    expect(tickets()).toEqual(wanted)
    expect(new Set(arrived.map(({ key }) => key)).size).toBe(10)
    expect(new Set(arrived.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3)
    expect(arrived[0]?.apiKey).toBe('k')
    expect(shipper.waitingBytes).toBe(0)
  })

  test('tells of a workflow: how it ended, how long it took, its figures and steps', async () => {
    const shipper = open()
    const result = await shipper.workflow(about, async (log) => {
      log.metric('rows', 3)
      log.step('read', { rows: 3 })
      log.payload({ amount: '9.90' })
      return 'done'
    })
    const failure = shipper.workflow(about, () => {
      throw new TypeError('no such ticket')
    })
    await expect(failure).rejects.toThrow('no such ticket')
    await shipper.flush()
    expect(result).toBe('done')
    expect(arrived.map(({ record }) => record)).toEqual([
      {
        ...about,
        status: 'success',
        executed_at: expect.stringMatching(/Z$/),
        duration_ms: expect.any(Number),
        metrics: { rows: 3 },
        payload: { amount: '9.90' },
        trace: [{ name: 'read', at_ms: expect.any(Number), detail: { rows: 3 } }],
      },
      expect.objectContaining({
        status: 'failure',
        trace: [{ name: 'error', at_ms: expect.any(Number), detail: { name: 'TypeError', message: 'no such ticket' } }],
      }),
    ])
  })

  test('keeps records through an outage, and sends them when the server is back', async () => {
    answer = () => 503
    const shipper = open()
    shipper.ship({ ...about, ticket_id: 'during' })
    expect(await shipper.flush(100)).toBe(false)
    expect(problems[0]).toMatchObject({ kind: 'unsent', records: 1 })
    answer = () => 201
    shipper.ship({ ...about, ticket_id: 'after' })
    expect(await shipper.flush()).toBe(true)
    expect(tickets()).toEqual(['during', 'after'])
  })

  test('sends the same keys again where the answer was lost', async () => {
    let cuts = 2
    answer = () => (cuts-- > 0 ? 'cut' : 201)
    const shipper = open()
    shipper.ship(about)
    expect(await shipper.flush()).toBe(true)
    expect(arrived).toHaveLength(3)
    expect(new Set(arrived.map(({ key, idempotencyKey }) => `${key} ${idempotencyKey}`)).size).toBe(1)
  })

  test('neither throws nor waits where the server hangs, is not there, or the folder has gone', async () => {
    answer = () => 'hang'
    const hanging = open({ timeout: 50 })
    hanging.ship(about)
    expect(await hanging.flush(200)).toBe(false)
    await hanging.close(0)
    const absent = open({ url: `http://127.0.0.1:${await freePort()}/` })
    absent.ship(about)
    expect(await absent.flush(100)).toBe(false)
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    absent.ship({ ...about, payload: circular })
    expect(problems.at(-1)).toMatchObject({ kind: 'dropped', records: 1, reason: expect.stringContaining('circular') })
    absent.ship({ ...about, payload: 1n })
    expect(problems.at(-1)).toMatchObject({ kind: 'dropped', records: 1 })
  })

  test('sets aside what the server will never take, and sends the others', async () => {
    answer = (_request, records) => (records.some(({ ticket_id }) => ticket_id === 'bad') ? 422 : 201)
    const shipper = open()
    for (const ticket_id of ['a', 'bad', 'b']) shipper.ship({ ...about, ticket_id })
    expect(await shipper.flush()).toBe(true)
    expect(tickets()).toEqual(['a', 'b'])
    expect(problems).toContainEqual(expect.objectContaining({ kind: 'rejected', records: 1 }))
    expect(JSON.parse(await readFile(join(folder, 'rejected.ndjson'), 'utf8'))).toMatchObject({ ticket_id: 'bad' })
  })

  test('waits where a try before is still under way in the server, which may yet undo it', async () => {
    let tries = 0
    answer = () => (++tries < 4 ? 'under way' : 201)
    const shipper = open()
    for (const ticket_id of ['a', 'b']) shipper.ship({ ...about, ticket_id })
    expect(await shipper.flush()).toBe(true)
    expect(tickets()).toEqual(['a', 'b'])
    expect(new Set(arrived.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1)
    expect(problems.map(({ kind }) => kind)).toEqual(['unsent', 'unsent', 'unsent'])
  })

  test('lets the oldest go when the queue is full, and says how many', async () => {
    answer = () => 503
    const shipper = open({ batchSize: 1, maxBytes: 1000 })
    for (let ticket = 0; ticket < 20; ticket++) shipper.ship({ ...about, ticket_id: String(ticket) })
    expect(shipper.waitingBytes).toBeLessThanOrEqual(1000)
    const dropped = problems.filter(({ kind }) => kind === 'dropped').reduce((sum, { records }) => sum + records, 0)
    answer = () => 201
    expect(await shipper.flush()).toBe(true)
    expect(tickets()).toEqual(Array.from({ length: 20 - dropped }, (_, index) => String(dropped + index)))
  })

  test('begins with what a process before it left, whose last line may be half a one', async () => {
    answer = () => 503
    const first = open()
    first.ship({ ...about, ticket_id: 'left' })
    await first.close(0)
    const [name = ''] = readdirSync(folder).filter((file) => file.endsWith('.ndjson'))
    await writeFile(join(folder, name), `${await readFile(join(folder, name), 'utf8')}{"key": "ha`)
    answer = () => 201
    expect(await open().flush()).toBe(true)
    expect(tickets()).toEqual(['left'])
  })

  test('loses nothing that was taken before the process was killed', async () => {
    answer = () => 503
    const program = join(folder, '..', 'program.ts')
    await writeFile(
      program,
      `import { Shipper } from ${JSON.stringify(new URL('../src/shipper/index.ts', import.meta.url).href)}
       const shipper = new Shipper({ url: ${JSON.stringify(url)}, apiKey: 'k', folder: ${JSON.stringify(folder)} })
       for (let ticket = 0; ticket < 500; ticket++) shipper.ship({ ticket_id: String(ticket), workflow: 'w', category: 'c' })
       process.kill(process.pid, 'SIGKILL')`,
    )
    expect(await runScript(program).ended).toEqual({ code: null, signal: 'SIGKILL' })
    answer = () => 201
    expect(await open().flush()).toBe(true)
    expect(tickets()).toEqual(Array.from({ length: 500 }, (_, index) => String(index)))
  })

  test('flushes at the end of a program that says nothing of it', async () => {
    const program = join(folder, '..', 'program.ts')
    await writeFile(
      program,
      `import { Shipper } from ${JSON.stringify(new URL('../src/shipper/index.ts', import.meta.url).href)}
       const shipper = new Shipper({ url: ${JSON.stringify(url)}, apiKey: 'k', folder: ${JSON.stringify(folder)}, interval: 60_000 })
       shipper.ship({ ticket_id: 'last', workflow: 'w', category: 'c' })`,
    )
    expect(await runScript(program).ended).toEqual({ code: 0, signal: null })
    expect(tickets()).toEqual(['last'])
  })

  test('has its folder to itself, and takes that of a process which has died', async () => {
    const shipper = open()
    await writeFile(join(folder, 'shipper.lock'), String(process.ppid))
    expect(() => open()).toThrow('Give each process a folder of its own')
    // the number is another process's by now
    await writeFile(join(folder, 'shipper.lock'), JSON.stringify({ ...ownerHere(), pid: process.ppid }))
    await open().close(0)
    await writeFile(join(folder, 'shipper.lock'), '999999999')
    expect(await open().flush()).toBe(true)
    expect(await shipper.close(0)).toBe(true)
  })

  test('is not shared by two of one process', async () => {
    open()
    expect(() => open()).toThrow('Give each process a folder of its own')
  })

  test('another container’s first process has its number too, and lives as long as it touches the lock', async () => {
    const path = join(folder, 'shipper.lock')
    mkdirSync(folder, { recursive: true })
    const elsewhere = JSON.stringify({ id: 'other', pid: process.pid, started: '1', place: 'another container' })
    await writeFile(path, elsewhere)
    const touch = `const fs = require('node:fs'); setInterval(() => fs.utimesSync(${JSON.stringify(path)}, new Date(), new Date()), 10)`
    const other = new Worker(touch, { eval: true })
    await once(other, 'online')
    expect(() => new FolderLock(folder)).toThrow('Give each process a folder of its own')
    await other.terminate()
    // it has died, and nobody touches the lock
    const lock = new FolderLock(folder, { patience: 100 })
    await writeFile(path, elsewhere)
    const longAgo = new Date(Date.now() - 120_000)
    utimesSync(path, longAgo, longAgo)
    const next = new FolderLock(folder)
    expect(next.isHeld).toBe(true)
    lock.release()
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid })
    next.release()
    expect(readdirSync(folder)).toEqual([])
  })

  test('who has lost the folder keeps its hands off it', async () => {
    mkdirSync(folder, { recursive: true })
    const lock = new FolderLock(folder, { renewal: 1 })
    await writeFile(join(folder, 'shipper.lock'), JSON.stringify({ id: 'other', pid: 1, place: 'another container' }))
    await expect.poll(() => lock.isHeld).toBe(false)
    lock.release()
    expect(await readFile(join(folder, 'shipper.lock'), 'utf8')).toContain('another container')
  })
})

/** What this process writes into its lock. */
function ownerHere(): object {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-lock-'))
  const lock = new FolderLock(folder)
  const owner = JSON.parse(readFileSync(join(folder, 'shipper.lock'), 'utf8'))
  lock.release()
  rmSync(folder, { recursive: true })
  return owner
}
