import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { ClientsAnswer, ClientsQuestion, KindReport } from './client-messages.ts'

/** Clients in a process of their own, which write and read until they are told to end: `node clients.ts URL WRITERS READERS RECORDS PAUSE`. */
const [, , url = '', writers = '32', readers = '32', records = '1', thinkTime = '0'] = process.argv

/** Milliseconds before a refused client tries again. */
const retryPause = 100

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
const samples: Record<'write' | 'read', number[]> = { write: [], read: [] }
const statuses: Record<'write' | 'read', Record<string, number>> = { write: {}, read: {} }
const withoutRetryAfter = { write: 0, read: 0 }
/** Numbers that were acknowledged, by writer. */
const acknowledged = Array.from({ length: Number(writers) }, (): number[] => [])
let running = true

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
}

function ask(method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-user': 'bench' }
    const sent = request(`${url}${path}`, { method, agent, headers }, (response) => {
      response.resume()
      response.once('end', () => resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] }))
      response.once('error', reject)
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

async function timed(kind: 'write' | 'read', send: () => Promise<Answer>): Promise<boolean> {
  const start = performance.now()
  const answer = await send().catch((error: Error) => ({
    status: 'code' in error ? String(error.code) : error.message,
    retryAfter: undefined,
  }))
  samples[kind].push(performance.now() - start)
  const { status } = answer
  if (typeof status === 'number' && status < 300) return true
  statuses[kind][status] = (statuses[kind][status] ?? 0) + 1
  if (answer.retryAfter === undefined) withoutRetryAfter[kind]++
  await pause(retryPause)
  return false
}

async function write(writer: number): Promise<void> {
  for (let number = 1; running; number++) {
    const body = JSON.stringify({ writer, number, title: `Document ${number} of ${writer}`, content: 'x'.repeat(400) })
    if (await timed('write', () => ask('POST', '/documents', body))) acknowledged[writer]?.push(number)
    if (thinkTime !== '0') await pause(Number(thinkTime))
  }
}

async function read(): Promise<void> {
  while (running) {
    const id = 1 + Math.floor(Math.random() * Number(records))
    await timed('read', () => ask('GET', `/documents/${id}`))
    if (thinkTime !== '0') await pause(Number(thinkTime))
  }
}

function report(kind: 'write' | 'read'): KindReport {
  const sorted = Float64Array.from(samples[kind]).sort()
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  const found = {
    requests: sorted.length,
    p50: at(0.5),
    p99: at(0.99),
    longest: at(1),
    refused: statuses[kind],
    withoutRetryAfter: withoutRetryAfter[kind],
  }
  samples[kind] = []
  statuses[kind] = {}
  withoutRetryAfter[kind] = 0
  return found
}

const everybody = [...acknowledged.keys()].map(write).concat(Array.from({ length: Number(readers) }, read))
process.on('message', (question: ClientsQuestion) => {
  const answer = (told: ClientsAnswer): void => void process.send?.(told)
  // The report of a window begins the next one.
  if (question === 'window') answer({ write: report('write'), read: report('read') })
  else if (question === 'acknowledged') answer({ acknowledged: acknowledged.map((numbers) => [...numbers]) })
  else if (question === 'forget') for (const numbers of acknowledged) numbers.length = 0
  else {
    running = false
    void Promise.all(everybody).then(() => process.disconnect())
  }
})
