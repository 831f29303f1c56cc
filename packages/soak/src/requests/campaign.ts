import type { CountingOptions } from '../counting.ts'
import type { Evidence } from '../evidence.ts'
import { seconds } from '../kills.ts'
import { type RequestsRun, throwRequests } from './run.ts'
import { type Memory, startTarget } from './target.ts'
import { answersOf, shareOf, tallyDetails, unevenFaults } from './verdict.ts'

/** Bytes by which the heap may be larger at the end than in the middle: what leaks a kilobyte for each request is found. */
const heapGrowth = 6 * 2 ** 20

/** Bytes by which the process may be larger at the end than in the middle; statements that SQLite keeps prepared are still coming in. */
const residentGrowth = 96 * 2 ** 20

export interface RequestsCampaignOptions extends CountingOptions {
  /** How often each operation has to be answered each way, if not its share of the rounds. Slow ones are asked no more often. */
  readonly atLeast?: number
  /** Requests up to which a run goes on while an operation lacks answers. */
  readonly atMost?: number
}

/** Random good and broken requests, made from the OpenAPI document: no 5xx, no hang, memory flat, and each operation answered both ways. */
export async function requestsCampaign(options: RequestsCampaignOptions): Promise<Evidence> {
  const { engine, url, rounds, seed, atMost, report = () => undefined } = options
  const started = performance.now()
  const target = await startTarget(url)
  try {
    const atLeast = options.atLeast ?? shareOf(rounds)
    const run = await throwRequests(target, { rounds, seed, atLeast, atMost, report })
    const { tally, memory } = run
    const faults = [...tally.faults, ...unevenFaults(tally, atLeast), ...memoryFaults(memory)]
    if (faults.length > 0) faults.push(...target.log.map((line) => `the server's log: ${line.slice(0, 2_000)}`))
    return {
      campaign: 'requests',
      engine,
      seed,
      roundsAsked: rounds,
      roundsDone: run.done,
      counts: { ...answersOf(tally), outsideOperations: [...tally.outside.values()].reduce((total, count) => total + count, 0) },
      faults,
      duration: seconds(started),
      details: detailsOf(run),
    }
  } finally {
    await target.stop()
  }
}

function memoryFaults(memory: readonly Memory[]): string[] {
  const middle = memory[Math.floor(memory.length / 2)]
  const end = memory.at(-1)
  if (!middle || !end) return ['the memory was not read']
  const faults: string[] = []
  if (end.heap - middle.heap > heapGrowth) faults.push(`the heap grew from ${middle.heap} to ${end.heap} bytes in the second half`)
  if (end.resident - middle.resident > residentGrowth) {
    faults.push(`the process grew from ${middle.resident} to ${end.resident} bytes in the second half`)
  }
  return faults
}

/** How to read the numbers. */
const notes = [
  'Resident memory rises until the statements that are kept prepared have filled their bounded caches, some 20,000 requests, and is flat from then on.',
  'Only requests that reach an operation count for it. Other methods, unknown paths and bytes that are no HTTP stand under "outside".',
  'DELETE /db/jobs/{id}, GET /db/audit/{id}/proof and POST /db/revert are asked for refusals only: imports are over at once here, and the generator knows no entry or unit of work.',
  'Operations that take neither body nor query (health, ready, openapi.json, docs) get their 4xx by a bad X-Request-Id, which the document describes. Unknown query parameters are ignored there on purpose (200), and refused everywhere else.',
  '"goodButRefused" counts requests that fit the document and met what is stored, or a rule that no schema can say; any other refusal of a good request is a fault.',
  '"breakages" has for each way to break a request how many were sent and refused. Those that no server may take are faults when they are answered 2xx; the others (odd headers, long numbers, patterns in filters, a member twice) may be answered either way.',
]

/** What stands in the evidence beside the sums. */
function detailsOf({ tally, memory }: RequestsRun): Record<string, unknown> {
  const over = (bytesOf: (reading: Memory) => number): Record<string, unknown> => {
    const readings = memory.map((reading) => Math.round(bytesOf(reading) / 2 ** 20))
    return { start: readings[0], middle: readings[Math.floor(readings.length / 2)], end: readings.at(-1), all: readings.join(' ') }
  }
  return {
    notes,
    ...tallyDetails(tally),
    memory: { unit: 'MiB, after a collection', resident: over(({ resident }) => resident), heap: over(({ heap }) => heap) },
    outside: Object.fromEntries([...tally.outside].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
