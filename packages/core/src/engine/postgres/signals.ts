import type { Connection } from '../engine.ts'
import type { Hearing, Signals } from '../signals.ts'
import type { Client } from './client.ts'
import { connectTo, type PostgresPlace } from './connect.ts'
import { quoteName } from './names.ts'
import type { ClientPool } from './pool.ts'

/** Milliseconds before a lost connection is tried again, at most: they double with each try. */
const longestPause = 10_000

/** LISTEN and NOTIFY. */
export class PostgresSignals implements Signals {
  readonly #place: PostgresPlace
  readonly #pool: ClientPool
  readonly #hearings = new Set<PostgresHearing>()

  constructor(place: PostgresPlace, pool: ClientPool) {
    this.#place = place
    this.#pool = pool
  }

  async send(connection: Connection, name: string): Promise<void> {
    await connection.all(notify(name))
  }

  hear(name: string, heard: () => void): Hearing {
    const hearing = new PostgresHearing({
      connect: () => connectTo(this.#place),
      // Over another connection: between this one and the server there may be a pooler that hands over answers alone.
      probe: async () => void (await this.#pool.use((client) => client.query(notify(name)))),
      name,
      heard,
      ended: () => this.#hearings.delete(hearing),
    })
    this.#hearings.add(hearing)
    return hearing
  }

  async close(): Promise<void> {
    await Promise.all([...this.#hearings].map((hearing) => hearing.close()))
  }
}

const notify = (name: string) => ({ sql: "SELECT pg_notify($1, '')", parameters: [name] })

interface HearingParts {
  readonly connect: () => Promise<Client>
  readonly probe: () => Promise<void>
  readonly name: string
  readonly heard: () => void
  readonly ended: () => void
}

/** A connection of its own that listens. */
class PostgresHearing implements Hearing {
  works = false
  readonly #parts: HearingParts
  readonly #running: Promise<void>
  #stop = (): void => undefined
  readonly #stopped = new Promise<void>((resolve) => {
    this.#stop = resolve
  })
  #closed = false

  constructor(parts: HearingParts) {
    this.#parts = parts
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stop()
    await this.#running
    this.#parts.ended()
  }

  async #run(): Promise<void> {
    for (let tries = 0; !this.#closed; ) {
      const listened = await this.#listen().catch(() => false)
      this.works = false
      tries = listened ? 0 : tries + 1
      if (!this.#closed) await this.#pause(Math.min(longestPause, 250 * 2 ** tries))
    }
  }

  /** Listens until the connection is lost, or is not needed any more. Answers whether it could. */
  async #listen(): Promise<boolean> {
    const { connect, probe, name, heard } = this.#parts
    const client = await connect()
    try {
      client.onSignal(() => {
        this.works = true
        heard()
      })
      const lost = new Promise<void>((resolve) => client.rest(resolve))
      await client.query({ sql: `LISTEN ${quoteName(name)}` })
      // The first signal that gets here shows that they do.
      void probe().catch(() => undefined)
      await Promise.race([lost, this.#stopped])
      return true
    } finally {
      await client.close().catch(() => client.destroy())
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      this.#stopped,
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds).unref()
      }),
    ])
    clearTimeout(timer)
  }
}
