import { setTimeout as pause } from 'node:timers/promises'
import { StorageUnavailableError } from '../../errors.ts'
import { Client, type ClientOptions } from './client.ts'
import type { PgDriver } from './driver.ts'
import { sqlState } from './errors.ts'
import type { Hosts } from './hosts.ts'

export interface ConnectorOptions extends Omit<ClientOptions, 'url'> {
  readonly hosts: Hosts
}

/** Milliseconds before the second try, at most; it doubles for each one after that. */
const firstPause = 50

/** Milliseconds between two tries, at most. */
const longestPause = 1_000

/** A server that only reads, where one that writes is wanted. */
export class StandbyError extends Error {
  constructor() {
    super('The server is a standby')
  }
}

/**
 * Makes connections to the host that serves. While none does, one caller tries, with growing pauses, and the others wait for how that
 * ends: a server that comes up again is not met by everybody at once.
 */
export class Connector {
  readonly #driver: PgDriver
  readonly #options: ConnectorOptions
  /** The host that answered last. */
  #preferred = 0
  /** Tries that failed since one succeeded. */
  #failures = 0
  #probe: Promise<unknown> | undefined

  constructor(driver: PgDriver, options: ConnectorOptions) {
    this.#driver = driver
    this.#options = options
  }

  /** There may be another host that takes writes. */
  get passesStandbys(): boolean {
    return this.#options.hosts.primary
  }

  /** Connects, trying for so many milliseconds. Throws `storage_unavailable` when that does not help. */
  async connect(patience: number): Promise<Client> {
    const giveUpAt = performance.now() + patience
    for (;;) {
      const failed = this.#failures > 0
      if (failed && this.#probe) {
        await within(this.#probe, giveUpAt)
        if (performance.now() >= giveUpAt) throw unreachable(undefined)
        continue
      }
      try {
        return failed ? await this.#alone(giveUpAt) : await this.#connect(giveUpAt)
      } catch (cause) {
        if (isFinal(cause) || performance.now() >= giveUpAt) throw unreachable(cause)
      }
    }
  }

  /** Tries each host once. Rejects with the driver's own error, or a StandbyError. */
  async connectOnce(): Promise<Client> {
    return await this.#round(this.#options.connectWait)
  }

  /** The try that others wait for. */
  async #alone(giveUpAt: number): Promise<Client> {
    const wait = Math.min(longestPause, firstPause * 2 ** (this.#failures - 1)) * (0.5 + Math.random() / 2)
    const trying = pause(Math.max(0, Math.min(wait, giveUpAt - performance.now()))).then(() => this.#connect(giveUpAt))
    this.#probe = trying.catch(() => undefined)
    try {
      return await trying
    } finally {
      this.#probe = undefined
    }
  }

  async #connect(giveUpAt: number): Promise<Client> {
    const before = this.#failures
    try {
      const client = await this.#round(Math.max(1, giveUpAt - performance.now()))
      this.#failures = 0
      return client
    } catch (error) {
      // Those that found out together have failed once.
      if (this.#failures === before) this.#failures++
      throw error
    }
  }

  /** Each host in turn, beginning with the one that answered last; each has its part of the time. */
  async #round(patience: number): Promise<Client> {
    const { hosts, connectWait } = this.#options
    const count = hosts.urls.length
    const attemptWait = Math.ceil(Math.min(connectWait, patience) / count)
    let failure: unknown
    for (let step = 0; step < count; step++) {
      const index = (this.#preferred + step) % count
      try {
        const client = await this.#attempt(hosts.urls[index] ?? '', attemptWait)
        this.#preferred = index
        return client
      } catch (error) {
        // That a server only reads tells less than why the others do not answer.
        if (failure === undefined || failure instanceof StandbyError) failure = error
      }
    }
    throw failure
  }

  async #attempt(url: string, connectWait: number): Promise<Client> {
    const client = await Client.connect(this.#driver, { ...this.#options, url, connectWait })
    if (!this.#options.hosts.primary || !client.standby) return client
    client.close().catch(() => undefined)
    throw new StandbyError()
  }
}

/** Waits for a promise, and not longer than that. */
async function within(promise: Promise<unknown>, until: number): Promise<void> {
  const timer = new AbortController()
  const over = pause(Math.max(0, until - performance.now()), undefined, { signal: timer.signal }).catch(() => undefined)
  await Promise.race([promise, over])
  timer.abort()
}

/** A wrong password or database stays wrong, however often it is tried. */
function isFinal(error: unknown): boolean {
  return /^(?:28|3D)/.test(sqlState(error) ?? '')
}

function unreachable(cause: unknown): StorageUnavailableError {
  return new StorageUnavailableError('storage_unavailable', 'No connection to the database can be made. Try again later.', { cause })
}
