import type { Breakage } from './breakage.ts'
import { breakages } from './breakages.ts'
import { Client, NoAnswer } from './client.ts'
import { Dice } from './dice.ts'
import { ApiDocument, type Operation } from './document.ts'
import { GoodRequests } from './good-requests.ts'
import { judge, judgeOutside, tell } from './judge.ts'
import { learn } from './learn.ts'
import { Pool } from './pool.ts'
import type { Answer } from './request.ts'
import { Tally } from './tally.ts'
import type { Memory, Target } from './target.ts'
import { brokenBytes, misplace } from './wire-breakages.ts'

/** Requests that are under way at a time. */
export const together = 4

/** Milliseconds for an answer from which on an operation is asked as often as it has to be, and no more. */
const slow = 100

/** Parts of a run after which memory is read. */
export const memoryReadings = 20

export interface RequestsRun {
  readonly tally: Tally
  readonly done: number
  readonly memory: readonly Memory[]
}

export interface ThrowOptions {
  readonly rounds: number
  readonly seed: number
  /** How often each operation has to be answered with 2xx, and how often with 4xx. */
  readonly atLeast: number
  readonly report: (line: string) => void
}

/** Throws random good and broken requests at a server, all made from its own OpenAPI document. */
export async function throwRequests(target: Target, { rounds, seed, atLeast, report }: ThrowOptions): Promise<RequestsRun> {
  const client = new Client(target.url)
  try {
    const document = new ApiDocument((await (await fetch(`${target.url}/openapi.json`)).json()) as object)
    const thrower = new Thrower(document, client, new Dice(seed), atLeast)
    const memory: Memory[] = []
    let done = 0
    while (done < rounds) {
      done += await throwWave(thrower, Math.min(together, rounds - done))
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

/** Throws up to so many requests at a time. One that puts another content in the place of the database's own goes after the others. */
export async function throwWave(thrower: Pick<Thrower, 'prepare'>, most: number): Promise<number> {
  const wave: Prepared[] = []
  while (wave.length < most && wave.at(-1)?.alone !== true) wave.push(thrower.prepare())
  const groups = [wave.filter(({ alone }) => !alone), wave.filter(({ alone }) => alone)]
  for (const group of groups) {
    const outcomes = await Promise.all(group.map((request) => request.send()))
    for (const [index, request] of group.entries()) request.settle(outcomes[index])
  }
  return wave.length
}

/** A request that is ready to go. All are made before any is sent, and answers count in the order of the requests: a seed repeats them. */
export interface Prepared {
  /** No other request may be under way. */
  readonly alone: boolean
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
  readonly #atLeast: number

  constructor(document: ApiDocument, client: Client, dice: Dice, atLeast: number) {
    this.#atLeast = atLeast
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
    return breaks ? this.#broken(chosen) : this.#unbroken(this.#good.first(chosen))
  }

  /** The operation that has been answered least in one of the two ways, of a few. */
  #choose(): Operation {
    const few = Array.from({ length: 4 }, () => this.#dice.pick(this.#document.operations)).filter((one) => one !== undefined)
    const [least] = few.sort((a, b) => this.#share(a) - this.#share(b))
    if (!least) throw new Error('The document has no operations')
    return least
  }

  #share(operation: Operation): number {
    const { good, refused, slowness } = this.tally.count(operation)
    const least = Math.min(good, refused)
    return slowness > slow && least > this.#atLeast ? Number.POSITIVE_INFINITY : least
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
      alone: draft.operation.tag === 'db' && draft.method !== 'GET',
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
        alone: false,
        send: () => this.#client.send(draft).catch(noAnswer),
        settle: (outcome) => this.#settleOutside(kind, tell(draft), outcome),
      }
    }
    const broken = brokenBytes(draft, this.#dice)
    return {
      alone: false,
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

export function noAnswer(error: unknown): NoAnswer {
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
