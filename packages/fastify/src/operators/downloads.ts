import { StrongroomError } from '@strongroom/core'
import type { FastifyReply } from 'fastify'
import { clientGone } from './download.ts'

/** Files that are made or sent at a time: each has a thread with its memory, and a backup takes as much of the disk as the database. */
const mostDownloads = 4

/** Seconds after which another try makes sense. */
const retryAfter = 10

/** Milliseconds that a client may take nothing of what waits for it: an export holds a moment of the database open meanwhile. */
const patience = 60_000

/** The downloads of a server. */
export class Downloads {
  #running = 0
  readonly #patience: number

  constructor(clientPatience = patience) {
    this.#patience = clientPatience
  }

  /** Counts a download until its answer is sent, or its client gone or cut off. Throws `server_busy` for one too many. */
  begin({ raw }: FastifyReply): void {
    if (raw.destroyed) throw clientGone()
    if (this.#running >= mostDownloads) {
      throw new StrongroomError('server_busy', `${mostDownloads} downloads are under way. Try again when one of them has ended.`, {
        retryAfter,
      })
    }
    this.#running++
    // A server that is asked to close meanwhile would wait for this connection until its client lets go of it.
    raw.shouldKeepAlive = false
    raw.once('close', () => this.#running--)
    // Tests inject requests that have no connection.
    if (typeof raw.socket?.setTimeout === 'function') this.#watch(raw)
  }

  #watch(raw: FastifyReply['raw']): void {
    raw.setTimeout(this.#patience, () => {
      // What waits for the database, and not for the client, is not cut.
      if (raw.writableLength > 0) raw.destroy()
      else raw.setTimeout(this.#patience)
    })
  }
}
