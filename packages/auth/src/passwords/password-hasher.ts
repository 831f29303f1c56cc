import { hash as argon2, type Options, parseOptions, verify } from '@node-rs/argon2'
import { randomSecret } from '../digest.ts'
import { tooMany } from '../refuse.ts'
import { longestPassword, normalisePassword } from './password-rules.ts'

/** What a hash costs. */
export interface HashCost {
  /** KiB of memory. */
  readonly memoryCost: number
  /** Passes over it. */
  readonly timeCost: number
  readonly parallelism: number
}

/** The first choice of OWASP's Password Storage Cheat Sheet for argon2id: 19 MiB, 2 passes. */
export const defaultCost: HashCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Hashes at once: half of the threads that Node has for such work, which files and names of hosts wait for too. */
const mostAtOnce = 2
/** Hashes that wait, about two seconds' worth. */
const mostWaiting = 64
/** A stored hash may cost this much more than is asked today: whoever imports one does not choose how much memory it takes. */
const mostCost: HashCost = { memoryCost: 1_048_576, timeCost: 16, parallelism: 16 }

/** Hashes and compares passwords by argon2id, few at a time. */
export class PasswordHasher {
  readonly #options: Options
  readonly #cost: HashCost
  #running = 0
  readonly #waiting: (() => void)[] = []
  #dummy: Promise<string> | undefined

  constructor(cost: HashCost) {
    this.#cost = cost
    // argon2id is its default algorithm, and the only one here.
    this.#options = { ...cost }
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => argon2(normalisePassword(password), this.#options))
  }

  /** Whether the password is that of the hash. Without a hash it takes as long, and is false. */
  async matches(hash: string | null, password: string): Promise<boolean> {
    if (password.length > longestPassword * 4) return false
    const usable = hash !== null && this.isHash(hash)
    const compared = usable ? hash : await this.#dummyHash()
    const same = await this.#inTurn(() => verify(compared, normalisePassword(password)))
    return usable && same
  }

  /** Whether a text is a hash that can be compared with: argon2id, at a cost that this machine can bear. */
  isHash(text: string): boolean {
    const cost = costOf(text)
    if (!cost) return false
    const { memoryCost, timeCost, parallelism } = mostCost
    return cost.memoryCost <= memoryCost && cost.timeCost <= timeCost && cost.parallelism <= parallelism
  }

  /** Whether a hash was made at another cost than passwords have now. */
  isOutdated(hash: string): boolean {
    const cost = costOf(hash)
    const { memoryCost, timeCost, parallelism } = this.#cost
    return cost?.memoryCost !== memoryCost || cost.timeCost !== timeCost || cost.parallelism !== parallelism
  }

  /** Makes the hash that unknown users are compared with, before anybody can measure that. */
  async prepare(): Promise<void> {
    await this.#dummyHash()
  }

  #dummyHash(): Promise<string> {
    this.#dummy ??= argon2(randomSecret(), this.#options)
    return this.#dummy
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= mostAtOnce) {
      if (this.#waiting.length >= mostWaiting) throw tooMany('Too many sign in at once. Try again in a second.', 1)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running += 1
    try {
      return await work()
    } finally {
      // The place goes to the next in line.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}

function costOf(hash: string): HashCost | undefined {
  if (!/^\$argon2id\$v=19\$m=\d{1,10},t=\d{1,10},p=\d{1,3}\$[\w+/]{11,86}\$[\w+/]{16,172}$/.test(hash)) return undefined
  try {
    const { memoryCost, timeCost, parallelism } = parseOptions(hash)
    return { memoryCost, timeCost, parallelism }
  } catch {
    return undefined
  }
}
