import { batchBreakages } from './batch-breakages.ts'
import { bodyBreakages, contentBreakages } from './body-breakages.ts'
import type { Breakage } from './breakage.ts'
import { Client, NoAnswer } from './client.ts'
import { Dice } from './dice.ts'
import { ApiDocument, type Operation } from './document.ts'
import { GoodRequests } from './good-requests.ts'
import { headBreakages } from './head-breakages.ts'
import { judge, judgeOutside, tell } from './judge.ts'
import { learn } from './learn.ts'
import { Pool } from './pool.ts'
import { queryBreakages } from './query-breakages.ts'
import type { Answer } from './request.ts'
import { Tally } from './tally.ts'
import type { Memory, Target } from './target.ts'
import { brokenBytes, misplace } from './wire-breakages.ts'

const breakages: readonly Breakage[] = [...contentBreakages, ...bodyBreakages, ...batchBreakages, ...queryBreakages, ...headBreakages]

/** Requests that are under way at a time. */
const together = 4

/** Parts of a run after which memory is read. */
const memoryReadings = 20

export interface RequestsRun {
  readonly tally: Tally
  readonly done: number
  readonly memory: readonly Memory[]
}

/** Throws random good and broken requests at a server, all made from its own OpenAPI document. */
export async function throwRequests(target: Target, rounds: number, seed: number, report: (line: string) => void): Promise<RequestsRun> {
  const client = new Client(target.url)
  try {
    const document = new ApiDocument((await (await fetch(`${target.url}/openapi.json`)).json()) as object)
    const thrower = new Thrower(document, client, new Dice(seed))
    const memory: Memory[] = []
    let done = 0
    while (done < rounds) {
      const wave = Array.from({ length: Math.min(together, rounds - done) }, () => thrower.prepare())
      const outcomes = await Promise.all(wave.map((request) => request.send()))
      for (const [index, request] of wave.entries()) request.settle(outcomes[index])
      done += wave.length
      if (done >= ((memory.length + 1) * rounds) / memoryReadings) {
        memory.push(await target.memory())
        report(`${done} of ${rounds} requests, ${thrower.tally.faultCount} faults so far`)
      }
    }
    return { tally: thrower.tally, done, memory }
  } finally {
    client.close()
  }
}

/** A request that is ready to go. All are made before any is sent, and answers count in the order of the requests: a seed repeats them. */
interface Prepared {
  send(): Promise<Answer | NoAnswer>
  settle(outcome: Answer | NoAnswer | undefined): void
}

class Thrower {
  readonly tally: Tally
  readonly #document: ApiDocument
  readonly #client: Client
  readonly #dice: Dice
  readonly #pool = new Pool()
  readonly #good: GoodRequests

  constructor(document: ApiDocument, client: Client, dice: Dice) {
    this.#document = document
    this.#client = client
    this.#dice = dice
    this.tally = new Tally(document.operations)
    this.#good = new GoodRequests(document, this.#pool, dice)
  }

  prepare(): Prepared {
    const chosen = this.#choose()
    const { good, refused } = this.tally.count(chosen)
    if (this.#dice.chance(0.04)) return this.#outside(chosen)
    // Whichever of the two there are less of is likelier.
    const breaks = this.#dice.chance(good > refused ? 0.7 : 0.3)
    return breaks ? this.#broken(chosen) : this.#unbroken(this.#first(chosen))
  }

  /** The operation that has been answered least in one of the two ways, of a few. */
  #choose(): Operation {
    const few = Array.from({ length: 4 }, () => this.#dice.pick(this.#document.operations)).filter((one) => one !== undefined)
    const [least] = few.sort((a, b) => this.#share(a) - this.#share(b))
    if (!least) throw new Error('The document has no operations')
    return least
  }

  /** The operation, or the one that makes records for it to work on, or for those. */
  #first(operation: Operation): Operation {
    let first = operation
    for (let steps = 0; steps < 3; steps++) {
      const lacking = this.#good.lacking(first)
      const maker = this.#document.operations.find((one) => one.tag === lacking && one.method === 'POST' && !one.path.includes('{'))
      if (!maker) return first
      first = maker
    }
    return first
  }

  #share(operation: Operation): number {
    const { good, refused } = this.tally.count(operation)
    return Math.min(good, refused)
  }

  #unbroken(operation: Operation): Prepared {
    const good = this.#good.make(operation)
    return this.#inside(good.draft, undefined, (answer) => learn(this.#pool, good, answer, this.#good.keyOf(operation.tag)))
  }

  #broken(operation: Operation): Prepared {
    const key = this.#good.keyOf(operation.tag)
    for (;;) {
      const { draft, guesses } = this.#good.make(operation)
      const breakage = this.#dice.pick(breakages)
      const keyed = this.#pool.keyed(operation.name, this.#dice)
      const workshop = { document: this.#document, dice: this.#dice, values: this.#good.values, keyed, guesses, key }
      if (!breakage?.apply(draft, workshop)) continue
      draft.kind = breakage.kind
      return this.#inside(draft, breakage, () => undefined)
    }
  }

  #inside(draft: Parameters<Client['send']>[0], breakage: Breakage | undefined, settled: (answer: Answer) => void): Prepared {
    return {
      send: () => this.#client.send(draft).catch(noAnswer),
      settle: (outcome) => {
        if (outcome === undefined || outcome instanceof NoAnswer) {
          this.tally.fault(`no answer at ${draft.operation.name}`, `${outcome?.message ?? ''} ${tell(draft)}`)
          return
        }
        judge(this.#document, draft, breakage, outcome, this.tally)
        settled(outcome)
      },
    }
  }

  /** What belongs to no operation. */
  #outside(operation: Operation): Prepared {
    const { draft } = this.#good.make(operation)
    const { operations } = this.#document
    const kind = this.#dice.chance(0.5)
      ? misplace(draft, this.#dice, (method, path) => operations.some((one) => one.method === method && one.path === path))
      : undefined
    if (kind !== undefined) {
      return {
        send: () => this.#client.send(draft).catch(noAnswer),
        settle: (outcome) => this.#settleOutside(kind, tell(draft), outcome),
      }
    }
    const broken = brokenBytes(draft, this.#dice)
    return {
      send: async () => {
        const text = await this.#client.sendBytes(broken.bytes).catch(noAnswer)
        return text instanceof NoAnswer ? text : answerIn(text)
      },
      settle: (outcome) => this.#settleOutside(broken.kind, broken.bytes.toString('latin1', 0, 200), outcome),
    }
  }

  #settleOutside(kind: string, told: string, outcome: Answer | NoAnswer | undefined): void {
    if (outcome === undefined || outcome instanceof NoAnswer) this.tally.fault(`no answer to ${kind}`, `${outcome?.message ?? ''} ${told}`)
    else judgeOutside(kind, told, outcome.status, outcome.body, this.tally)
  }
}

function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error
  throw error
}

/** The first answer in what came over a connection. */
function answerIn(text: string): Answer | NoAnswer {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
  return Number.isNaN(status)
    ? new NoAnswer(`the connection was closed with ${JSON.stringify(text.slice(0, 100))}`)
    : { status, headers: {}, body, duration: 0 }
}
