import type { Count, Logger, ModelAccessor, Storage } from '@strongroom/core'
import { keyedDigest } from '../digest.ts'
import type { AuthCounts } from '../figures.ts'
import type { LockoutModel } from '../models.ts'
import { tooMany } from '../refuse.ts'
import { foldEmail, type KnownUser } from '../users/user-directory.ts'
import { clientAddress } from './client-address.ts'

/** When failures lock an account or an address. */
export interface LockoutOptions {
  /** Failures in a row that an account may have; the next ones lock it for 1, 2, 4, 8, … seconds. */
  readonly accountFailures: number
  /** The same for an address, whichever accounts it tries. */
  readonly addressFailures: number
  /** Minutes that a lock takes at most. */
  readonly longestMinutes: number
}

export const defaultLockout: LockoutOptions = { accountFailures: 5, addressFailures: 50, longestMinutes: 15 }

/** Who tries to sign in, and from where. */
export interface Attempt {
  readonly email: string
  /** Whose account it is, where it is anybody's. */
  readonly user: KnownUser | undefined
  readonly ip: string
}

type Kind = 'account' | 'address'
interface Counted {
  readonly kind: Kind
  readonly id: string
}

/** Milliseconds after the first failure, when all of them are forgotten. */
const forgottenAfter = 86_400_000
/** Milliseconds that lockouts stay in their table, a month. */
const lockoutsKept = 30 * 86_400_000
const own = { access: 'system', actor: 'authentication' } as const

export interface LoginAttemptsParts {
  readonly lockouts: ModelAccessor<LockoutModel>
  readonly options: LockoutOptions
  readonly counts: AuthCounts
  readonly logger: () => Logger
}

/**
 * Counts failures to sign in, for each account and each address, known or not, and makes those wait who have too many. Failures are counted
 * in the counters of the storage, which are bounded and in no audit log: whoever guesses passwords must not fill the disk with it. They are
 * known by keyed digests, since people type passwords where their name should be.
 */
export class LoginAttempts {
  readonly #parts: LoginAttemptsParts
  #storage: Pick<Storage, 'count' | 'counters'> | undefined
  #key: Uint8Array = new Uint8Array()
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(parts: LoginAttemptsParts) {
    this.#parts = parts
  }

  /** @param key makes digests of addresses that nobody can guess back */
  prepare(storage: Pick<Storage, 'count' | 'counters'>, key: Uint8Array): void {
    this.#storage = storage
    this.#key = key
  }

  /**
   * Tries a password. Attempts at one account are made one after the other, so that a hundred at once are not a hundred guesses.
   * @param works whether it is the right one
   * @throws StrongroomError `too_many_requests` when the account or the address has to wait
   */
  async guard(attempt: Attempt, works: () => Promise<boolean>): Promise<boolean> {
    const account: Counted = { kind: 'account', id: this.#idOf('account', foldEmail(attempt.email)) }
    const address: Counted = { kind: 'address', id: this.#idOf('address', clientAddress(attempt.ip)) }
    return this.#inTurn(account.id, async () => {
      const known = await this.#counting().counters.read([lockOf(account), lockOf(address), failuresOf(account)])
      refuseLocked([known.get(lockOf(account)), known.get(lockOf(address))])
      const right = await works()
      // Only what counts for the account: whoever has one of their own would wash an address clean with it.
      if (right && known.has(failuresOf(account))) await this.#counting().counters.reset(failuresOf(account))
      if (!right) await this.#fail(attempt, account, address)
      return right
    })
  }

  /** Forgets what is long ago. */
  async sweep(): Promise<void> {
    await this.#parts.lockouts.deleteMany({ locked_at: { lt: new Date(Date.now() - lockoutsKept) } }, own)
  }

  async #fail({ user }: Attempt, account: Counted, address: Counted): Promise<void> {
    const { counts, options, lockouts } = this.#parts
    counts.loginFailures += 1
    const failures = await this.#count(account, options.accountFailures)
    await this.#count(address, options.addressFailures)
    // Accounts that nobody has are as many as somebody likes, so that only the first lock of one that is there stands in the audit log.
    if (user && failures === options.accountFailures) await lockouts.insert({ user_id: user.id, failures, locked_at: new Date() }, own)
  }

  /** Counts a failure, and locks what has too many. Answers how many there are. */
  async #count(counted: Counted, allowed: number): Promise<number> {
    const { total } = await this.#counting().count(failuresOf(counted), { period: forgottenAfter })
    if (total < allowed) return total
    const { endsAt } = await this.#counting().count(lockOf(counted), { period: this.#wait(total - allowed) })
    this.#parts.counts.lockouts += 1
    this.#parts.logger().warn(`Too many sign-ins fail: an ${counted.kind} waits until ${endsAt.toISOString()}.`)
    return total
  }

  /** Milliseconds; doubled with each failure. */
  #wait(failuresBeyond: number): number {
    return Math.min(1_000 * 2 ** failuresBeyond, this.#parts.options.longestMinutes * 60_000)
  }

  #idOf(kind: Kind, name: string): string {
    return keyedDigest(this.#key, `${kind}:${name}`)
  }

  #counting() {
    if (!this.#storage) throw new Error('The storage is not known yet.')
    return this.#storage
  }

  async #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(id)
    const turn = (before ?? Promise.resolve()).then(work, work)
    this.#turns.set(id, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(id) === turn) this.#turns.delete(id)
    }
  }
}

const failuresOf = ({ kind, id }: Counted): string => `login failures: ${kind} ${id}`
const lockOf = ({ kind, id }: Counted): string => `login lock: ${kind} ${id}`

function refuseLocked(locks: readonly (Count | undefined)[]): void {
  const until = Math.max(...locks.map((lock) => lock?.endsAt.getTime() ?? 0))
  const seconds = Math.ceil((until - Date.now()) / 1000)
  if (seconds > 0) throw tooMany(`Too many sign-ins failed. Try again in ${seconds} s.`, seconds)
}
