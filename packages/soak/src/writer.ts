import { Agent, request } from 'node:http'
import type { Ledger, LedgerLine } from './ledger.ts'

export interface WriterOptions {
  readonly url: string
  readonly ledger: Ledger
  /** Named once for all writers, so that names never repeat between rounds. */
  readonly prefix: string
  /** Told when to stop; a writer also stops when its connection is cut. */
  readonly stopped: () => boolean
  /** Writes that each record gets before the writer goes on to a new one. */
  readonly writesPerRecord: number
  /** Bytes of text that each record of a writer carries. */
  readonly padding?: (writer: number) => number
  /** Milliseconds to pause after a refusal. */
  readonly pause?: number
}

/** Answers of a server that says "not now": nothing was stored. */
const refusals = new Set([503, 507])

/** Creates records and counts them up, one write at a time, and keeps book of what was acknowledged. */
export async function runWriter(options: WriterOptions, writer: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    for (let number = 0; !options.stopped(); number++) {
      const line = options.ledger.open(`${options.prefix}-${writer}-${number}`)
      for (let value = 0; value < options.writesPerRecord && !options.stopped(); value++) {
        if (!(await writeOnce(options, agent, line, value, options.padding?.(writer)))) return
        if (line.id === undefined) break
      }
    }
  } finally {
    agent.destroy()
  }
}

/** False when the connection was cut: the outcome is unknown. */
async function writeOnce(
  options: WriterOptions,
  agent: Agent,
  line: LedgerLine,
  value: number,
  weight: number | undefined,
): Promise<boolean> {
  line.inFlight = value
  const padding = weight === undefined ? {} : { padding: 'x'.repeat(weight) }
  const create = line.id === undefined
  const answer = await send(agent, options.url, create ? 'POST' : 'PUT', create ? '/counters' : `/counters/${line.id}`, {
    value,
    ...(create && { name: line.name, ...padding }),
  })
  if (answer === undefined) {
    options.ledger.unanswered++
    return false
  }
  line.inFlight = undefined
  if (answer.status === 200 || answer.status === 201) {
    line.id = answer.id
    line.acknowledged = value
    options.ledger.acknowledged++
    return true
  }
  if (!refusals.has(answer.status)) {
    options.ledger.surprises.push(`${line.name}: ${create ? 'POST' : 'PUT'} was answered ${answer.status}`)
    return false
  }
  line.refused.add(value)
  options.ledger.refused++
  await new Promise((resolve) => setTimeout(resolve, options.pause ?? 1))
  return true
}

function send(agent: Agent, url: string, method: string, path: string, body: object): Promise<{ status: number; id: number } | undefined> {
  const payload = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload), 'x-user': 'campaign' }
  return new Promise((resolve) => {
    const outgoing = request(`${url}${path}`, { method, agent, headers }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', () => resolve(undefined))
      incoming.on('close', () => {
        if (!incoming.complete) return resolve(undefined)
        const text = Buffer.concat(chunks).toString()
        resolve({ status: incoming.statusCode ?? 0, id: (JSON.parse(text) as { id: number }).id })
      })
    })
    outgoing.on('error', () => resolve(undefined))
    outgoing.end(payload)
  })
}
