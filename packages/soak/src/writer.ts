import { Agent } from 'node:http'
import { exchange } from './exchange.ts'
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
        const outcome = await writeOnce(options, agent, line, value, options.padding?.(writer))
        if (outcome === 'cut') return
        if (outcome === 'unknown' || line.id === undefined) break
      }
    }
  } finally {
    agent.destroy()
  }
}

/** Where the connection was cut, or the answer says so, nobody knows what came of it, and the record is left alone from then on. */
type Outcome = 'told' | 'unknown' | 'cut'

async function writeOnce(
  options: WriterOptions,
  agent: Agent,
  line: LedgerLine,
  value: number,
  weight: number | undefined,
): Promise<Outcome> {
  line.inFlight = value
  const padding = weight === undefined ? {} : { padding: 'x'.repeat(weight) }
  const create = line.id === undefined
  const answer = await exchange(agent, {
    method: create ? 'POST' : 'PUT',
    url: `${options.url}${create ? '/counters' : `/counters/${line.id}`}`,
    body: { value, ...(create && { name: line.name, ...padding }) },
  })
  if (answer === undefined) {
    options.ledger.unanswered++
    return 'cut'
  }
  if (answer.status === 503 && (answer.body as { code?: unknown } | undefined)?.code === 'commit_unknown') {
    options.ledger.unknown++
    return 'unknown'
  }
  line.inFlight = undefined
  if (answer.status === 200 || answer.status === 201) {
    line.id = (answer.body as { id: number }).id
    line.acknowledged = value
    options.ledger.acknowledged++
    return 'told'
  }
  if (!refusals.has(answer.status)) {
    options.ledger.surprises.push(`${line.name}: ${create ? 'POST' : 'PUT'} was answered ${answer.status}`)
    return 'cut'
  }
  line.refused.add(value)
  options.ledger.refused++
  await new Promise((resolve) => setTimeout(resolve, options.pause ?? 1))
  return 'told'
}
