import { ConflictError, type Logger, type ModelAccessor, type RowOf } from '@strongroom/core'
import { keyedDigest } from '../digest.ts'
import type { LoginAttempt } from '../models.ts'
import { tooMany } from '../refuse.ts'
import { foldEmail } from '../users/user-directory.ts'
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
  readonly ip: string
}

type Kind = 'account' | 'address'
interface Counted {
  readonly kind: Kind
  readonly id: string
}

/** Milliseconds after the last failure, when all of them are forgotten. */
const forgottenAfter = 86_400_000
const own = { access: 'system', actor: 'authentication' } as const

/** Counts failures to sign in, for each account and each address, known or not, and makes those wait who have too many. */
export class LoginAttempts {
  readonly #accessor: ModelAccessor<typeof LoginAttempt>
  readonly #options: LockoutOptions
  readonly #logger: () => Logger
  #key: Uint8Array = new Uint8Array()
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(accessor: ModelAccessor<typeof LoginAttempt>, options: LockoutOptions, logger: () => Logger) {
    this.#accessor = accessor
    this.#options = options
    this.#logger = logger
  }

  /** @param key makes digests of addresses that nobody can guess back */
  prepare(key: Uint8Array): void {
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
      const rows = await this.#accessor.find({ where: { id: { in: [account.id, address.id] } }, ...own })
      refuseLocked(rows)
      const right = await works()
      if (!right) {
        await this.#fail(account, this.#options.accountFailures)
        await this.#fail(address, this.#options.addressFailures)
      } else if (rows.some(({ id, failures }) => id === account.id && failures > 0)) await this.#forgive(account)
      return right
    })
  }

  /** Forgets what is long ago. */
  async sweep(): Promise<void> {
    await this.#accessor.deleteMany({ last_failure_at: { lt: new Date(Date.now() - forgottenAfter) } }, own)
  }

  async #fail({ kind, id }: Counted, allowed: number): Promise<void> {
    const now = Date.now()
    const counted = (failures: number) => ({
      failures,
      last_failure_at: new Date(now),
      locked_until: failures < allowed ? null : new Date(now + this.#wait(failures - allowed)),
    })
    const oneMore = (row: RowOf<typeof LoginAttempt>) =>
      counted(now - row.last_failure_at.getTime() > forgottenAfter ? 1 : row.failures + 1)
    const change = () => this.#accessor.updateMany({ id }, oneMore, own)
    let [changed] = await change()
    if (!changed) {
      try {
        changed = await this.#accessor.insert({ id, kind, ...counted(1) }, own)
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        ;[changed] = await change()
      }
    }
    if (changed?.locked_until) this.#logger().warn(`Too many sign-ins fail: an ${kind} waits until ${changed.locked_until.toISOString()}.`)
  }

  /** Only what counts for the account: whoever has one of their own would wash an address clean with it. */
  async #forgive({ id }: Counted): Promise<void> {
    await this.#accessor.updateMany({ id }, { failures: 0, locked_until: null }, own)
  }

  /** Milliseconds; doubled with each failure. */
  #wait(failuresBeyond: number): number {
    return Math.min(1_000 * 2 ** failuresBeyond, this.#options.longestMinutes * 60_000)
  }

  #idOf(kind: Kind, name: string): string {
    return keyedDigest(this.#key, `${kind}:${name}`)
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

function refuseLocked(rows: readonly RowOf<typeof LoginAttempt>[]): void {
  const until = Math.max(...rows.map(({ locked_until }) => locked_until?.getTime() ?? 0))
  const seconds = Math.ceil((until - Date.now()) / 1000)
  if (seconds > 0) throw tooMany(`Too many sign-ins failed. Try again in ${seconds} s.`, seconds)
}
