import type { Breakage } from './breakage.ts'
import { breakages } from './breakages.ts'
import { chooseOperation } from './choice.ts'
import { Client, NoAnswer } from './client.ts'
import { Dice } from './dice.ts'
import { ApiDocument, type Operation } from './document.ts'
import { GoodRequests } from './good-requests.ts'
import { judge, judgeOutside, tell } from './judge.ts'
import { learn } from './learn.ts'
import { Pool } from './pool.ts'
import type { Answer, Draft } from './request.ts'
import { Tally } from './tally.ts'
import type { Memory, Target } from './target.ts'
import { type RequestSource, type ThrowOptions, throwAll } from './throw-all.ts'
import { noAnswer, type Prepared, requestOf } from './wave.ts'
import { brokenBytes, misplace } from './wire-breakages.ts'

export interface RequestsRun {
  readonly tally: Tally
  readonly done: number
  /** Read after each part of the run. */
  readonly memory: readonly Memory[]
}

/** Throws random good and broken requests at a server, all made from its own OpenAPI document. */
export async function throwRequests(target: Target, options: ThrowOptions): Promise<RequestsRun> {
  const client = new Client(target.url)
  try {
    const document = new ApiDocument((await (await fetch(`${target.url}/openapi.json`)).json()) as object)
    const thrower = new Thrower(document, client, new Dice(options.seed), options.atLeast)
    const memory: Memory[] = []
    const afterPart = async (): Promise<void> => {
      memory.push(await target.memory())
    }
    const done = await throwAll(thrower, options, { afterPart })
    return { tally: thrower.tally, done, memory }
  } finally {
    client.close()
  }
}

class Thrower implements RequestSource {
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
    const chosen = chooseOperation(this.#document, this.tally, this.#dice, this.#atLeast)
    const { good, refused } = this.tally.count(chosen)
    if (this.#dice.chance(0.04)) return this.#outside(chosen)
    // Whichever of the two there are less of is likelier.
    const breaks = this.#dice.chance(good > refused ? 0.7 : 0.3)
    return breaks ? this.#broken(chosen) : this.#unbroken(this.#good.first(chosen))
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

  #inside(draft: Draft, breakage: Breakage | undefined, settled: (answer: Answer) => void): Prepared {
    return requestOf(draft, this.tally, {
      send: () => this.#client.send(draft),
      settle: (answer) => {
        judge(this.#document, draft, breakage, answer, this.tally)
        settled(answer)
      },
    })
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

/** The first answer in what came over a connection. */
function answerIn(text: string): Answer | NoAnswer {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
  return Number.isNaN(status)
    ? new NoAnswer(`the connection was closed with ${JSON.stringify(text.slice(0, 100))}`)
    : { status, headers: {}, body, duration: 0 }
}
