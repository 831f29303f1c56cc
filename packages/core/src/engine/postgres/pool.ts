import type { EngineQueue } from '../engine.ts'
import type { Client } from './client.ts'
import type { Connector } from './connector.ts'
import { isStalePlan } from './errors.ts'
import { Slots } from './slots.ts'

export interface PoolOptions {
  /** The most connections at a time. */
  readonly poolSize: number
  /** Milliseconds to wait for a connection. */
  readonly connectWait: number
  /** Where its units may take longer than callers wait elsewhere: milliseconds to wait for one that is in use, and what is said then. */
  readonly line?: { readonly wait: number; readonly refusal: string }
  /** A connection that is there already. */
  readonly first?: Client
}

/** Milliseconds for a connection that is doubted to answer. */
const doubtWait = 1_000

/** Milliseconds after which a connection that nobody needs is closed; new ones cost some milliseconds and a server process. */
const idleTime = 10_000

interface IdleClient {
  readonly client: Client
  /** When it came back, by `performance.now()`. */
  readonly since: number
}

/** The engine's connections. Whoever acquires one has it alone until it is released. */
export class ClientPool {
  readonly #connector: Connector
  readonly #patience: number
  readonly #slots: Slots
  /** Waiting in it takes none of the time to connect in. */
  readonly #hasOwnLine: boolean
  /** The longest idle first. */
  #idle: IdleClient[] = []
  #sweeper: NodeJS.Timeout | undefined
  #generation = 0
  /** When a connection was last given up for its silence, by `performance.now()`: those that lie here longer are asked before they are used. */
  #doubted = Number.NEGATIVE_INFINITY

  constructor(connector: Connector, { poolSize, connectWait, line, first }: PoolOptions) {
    this.#connector = connector
    this.#patience = connectWait
    this.#slots = new Slots(poolSize, line?.wait ?? connectWait, line?.refusal)
    this.#hasOwnLine = line !== undefined
    if (!first) return
    first.fresh = false
    this.#keep(first)
  }

  /** There may be another host that takes writes, where one refuses them. */
  get passesStandbys(): boolean {
    return this.#connector.passesStandbys
  }

  /** Throws `storage_busy` when all connections stay in use, `storage_unavailable` when no new one can be made. */
  async acquire(): Promise<Client> {
    const came = performance.now()
    await this.#slots.take()
    const giveUpAt = (this.#hasOwnLine ? performance.now() : came) + this.#patience
    try {
      return (await this.#takeIdle()) ?? (await this.#connect(giveUpAt))
    } catch (error) {
      this.#slots.give()
      throw error
    }
  }

  async #connect(giveUpAt: number): Promise<Client> {
    const client = await this.#connector.connect(Math.max(1, giveUpAt - performance.now()))
    client.generation = this.#generation
    return client
  }

  release(client: Client): void {
    client.fresh = false
    if (client.silent) this.#doubted = performance.now()
    if (client.reusable && client.generation === this.#generation) this.#keep(client)
    else discard(client)
    this.#slots.give()
  }

  /** Runs what changes nothing; a second time, on a new connection, when a pooled one turns out to be useless. */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    for (;;) {
      const client = await this.acquire()
      try {
        return await work(client)
      } catch (error) {
        if (!this.replaced(client, error)) throw error
      } finally {
        this.release(client)
      }
    }
  }

  /**
   * Whether the failure is the pool's fault: the connection died while it lay there, or what it has prepared is out of date.
   * If so, all connections that are as old are replaced before they are used again.
   */
  replaced(client: Client, error: unknown): boolean {
    if (client.fresh || !(client.dead || isStalePlan(error))) return false
    this.renew(client)
    return true
  }

  /** Has all connections that are as old as this one replaced before they are used again. */
  renew(client: Client): void {
    if (client.generation === this.#generation) this.#generation++
  }

  /** How many connections are in use, and how many callers wait for one. */
  load(): EngineQueue {
    return this.#slots.load()
  }

  /** Closes the idle connections; those in use are closed by their release. */
  async close(): Promise<void> {
    this.#generation++
    const idle = this.#idle
    this.#idle = []
    clearTimeout(this.#sweeper)
    await Promise.all(idle.map(({ client }) => client.close()))
  }

  /** The one that was used last: the others may become superfluous. */
  async #takeIdle(): Promise<Client | undefined> {
    for (let entry = this.#idle.pop(); entry; entry = this.#idle.pop()) {
      const { client, since } = entry
      client.wake()
      const isUsable = client.generation === this.#generation && client.reusable
      if (isUsable && (since > this.#doubted || (await client.answers(doubtWait)))) return client
      discard(client)
    }
    return undefined
  }

  #keep(client: Client): void {
    this.#idle.push({ client, since: performance.now() })
    client.rest(() => this.#drop(client))
    this.#sweeper ??= setTimeout(() => this.#sweep(), idleTime).unref()
  }

  #drop(client: Client): void {
    this.#idle = this.#idle.filter((entry) => entry.client !== client)
    client.wake()
    discard(client)
  }

  #sweep(): void {
    const now = performance.now()
    for (const { client, since } of this.#idle) if (now - since >= idleTime) this.#drop(client)
    this.#sweeper = this.#idle.length > 0 ? setTimeout(() => this.#sweep(), idleTime).unref() : undefined
  }
}

/** Lets go of a connection that nobody may use any more. One with statements under way is cut off: the server would answer nobody. */
function discard(client: Client): void {
  // a goodbye that cannot be said changes nothing for anybody
  if (client.idle) client.close().catch(() => {})
  else client.destroy()
}
