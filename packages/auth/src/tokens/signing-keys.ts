import { randomBytes } from 'node:crypto'
import type { ModelAccessor, RowOf } from '@strongroom/core'
import { deriveKey, randomSecret } from '../digest.ts'
import type { SigningKey } from '../models.ts'

/** A key in use. */
export interface LoadedKey {
  readonly kid: string
  readonly bytes: Uint8Array
  readonly madeAt: Date
}

export interface SigningKeyOptions {
  /** What keys are derived from; each has material of its own in the database where it is left out. */
  readonly secret: string | undefined
  /** Milliseconds after which a new key signs. */
  readonly rotateAfter: number
  /** Milliseconds that tokens live: a key is accepted that long after the next one took over. */
  readonly tokenLifetime: number
}

/** Milliseconds after which the keys are read again: another instance may have turned one away. */
const reloadAfter = 30_000
/** Milliseconds between two readings because of a key that nobody knows. */
const reloadForStrangers = 1_000
/** Milliseconds that clocks of instances may differ. */
const clockSkew = 60_000
const own = { access: 'system', actor: 'authentication' } as const

/** The keys of access tokens. The newest signs, and those before it are accepted until their tokens are over. */
export class SigningKeys {
  readonly #accessor: ModelAccessor<typeof SigningKey>
  readonly #options: SigningKeyOptions
  readonly #onChange: () => void
  #keys: readonly LoadedKey[] = []
  /** By a clock that nobody sets. */
  #loadedAt = Number.NEGATIVE_INFINITY
  #rotating: Promise<void> | undefined

  /** @param onChange is called when a key is not accepted any more */
  constructor(accessor: ModelAccessor<typeof SigningKey>, options: SigningKeyOptions, onChange: () => void) {
    this.#accessor = accessor
    this.#options = options
    this.#onChange = onChange
  }

  /** Reads the keys, and makes the first one. */
  async prepare(): Promise<void> {
    await this.#load()
    if (this.#keys.length === 0) await this.rotate()
  }

  /** The key to sign with. */
  async newest(): Promise<LoadedKey> {
    await this.#freshen()
    const [newest] = this.#keys
    if (newest && newest.madeAt.getTime() + this.#options.rotateAfter > Date.now()) return newest
    this.#rotating ??= this.rotate().finally(() => {
      this.#rotating = undefined
    })
    await this.#rotating
    const [made] = this.#keys
    if (!made) throw new Error('There is no key to sign with.')
    return made
  }

  /** The key of a token, if it is accepted. */
  async find(kid: string): Promise<LoadedKey | undefined> {
    await this.#freshen()
    const known = this.#keys.find((key) => key.kid === kid)
    if (known || performance.now() - this.#loadedAt < reloadForStrangers) return known
    await this.#load()
    return this.#keys.find((key) => key.kid === kid)
  }

  /** Reads the keys again when that was long ago. Costs nothing otherwise. */
  freshen(): Promise<void> | undefined {
    return performance.now() - this.#loadedAt < reloadAfter ? undefined : this.#load()
  }

  async #freshen(): Promise<void> {
    await this.freshen()
  }

  /** A key of the server for another purpose, the same in all instances. */
  async purposeKey(purpose: string): Promise<Uint8Array> {
    const { secret } = this.#options
    if (secret !== undefined) return deriveKey(secret, '', purpose)
    const [oldest] = await this.#accessor.find({ orderBy: ['made_at', 'id'], limit: 1, ...own })
    return deriveKey(oldest?.material ?? '', oldest?.id ?? '', purpose)
  }

  /**
   * Makes a new key, which signs from now on.
   * @param refuseOlder tokens of the keys before it are refused: here at once, in other instances within half a minute
   */
  async rotate({ refuseOlder = false }: { readonly refuseOlder?: boolean } = {}): Promise<void> {
    const now = Date.now()
    const material = this.#options.secret === undefined ? randomSecret() : null
    const [last] = await this.#rows()
    // It is the newest also where the clock was set back, or another instance's is ahead.
    const made_at = new Date(Math.max(now, (last?.made_at.getTime() ?? 0) + 1))
    await this.#accessor.insert({ id: randomBytes(9).toString('base64url'), material, made_at }, own)
    const [newest] = await this.#rows()
    // Who is refused stays so, whatever the clock is set to.
    const accepted_until = new Date(refuseOlder ? 0 : now + this.#options.tokenLifetime + clockSkew)
    const older = refuseOlder ? { or: [{ accepted_until: null }, { accepted_until: { gt: accepted_until } }] } : { accepted_until: null }
    if (newest) await this.#accessor.updateMany({ and: [{ id: { ne: newest.id } }, older] }, { accepted_until }, own)
    await this.#load()
  }

  async #load(): Promise<void> {
    const rows = await this.#rows()
    const before = this.#keys
    this.#keys = rows.map((row) => ({ kid: row.id, bytes: this.#bytesOf(row), madeAt: row.made_at }))
    this.#loadedAt = performance.now()
    if (before.some(({ kid }) => !this.#keys.some((key) => key.kid === kid))) this.#onChange()
  }

  /** The keys that are accepted, the newest first. */
  #rows(): Promise<RowOf<typeof SigningKey>[]> {
    const accepted = { or: [{ accepted_until: null }, { accepted_until: { gt: new Date() } }] }
    return this.#accessor.find({ where: accepted, orderBy: ['-made_at', '-id'], ...own })
  }

  #bytesOf({ id, material }: RowOf<typeof SigningKey>): Uint8Array {
    return deriveKey(material ?? this.#options.secret ?? randomSecret(), id, 'access token')
  }
}
