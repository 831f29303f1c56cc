import { type Principal, StrongroomError } from '@strongroom/core'
import type { FastifyReply } from 'fastify'
import { clientGone } from '../operators/download.ts'

/** Readers of the feed at a time: each reads the log for itself. */
const mostFeeds = 256

/** Those of one caller. */
const mostOfOne = 32

/** Seconds after which another try makes sense. */
const retryAfter = 10

/** Milliseconds that a client may take nothing of what waits for it. It comes back with the last id that it has. */
const patience = 30_000

/** The readers of a server. */
export class OpenFeeds {
  #open = 0
  readonly #byCaller = new Map<string, number>()
  readonly #patience: number

  constructor(clientPatience = patience) {
    this.#patience = clientPatience
  }

  /** Counts a reader until its answer has ended, or its client is gone or cut off. Throws `server_busy` for one too many. */
  begin({ raw }: FastifyReply, principal: Principal | undefined): void {
    if (raw.destroyed) throw clientGone()
    const caller = principal && principal.id !== null ? JSON.stringify([principal.tenant, principal.id]) : undefined
    const ofCaller = caller === undefined ? 0 : (this.#byCaller.get(caller) ?? 0)
    if (ofCaller >= mostOfOne) throw tooMany(`You follow ${mostOfOne} feeds of changes.`)
    if (this.#open >= mostFeeds) throw tooMany(`${mostFeeds} feeds of changes are followed.`)
    this.#open++
    if (caller !== undefined) this.#byCaller.set(caller, ofCaller + 1)
    raw.once('close', () => this.#end(caller))
  }

  /** Cuts the connection of a client that takes nothing. What has nothing to say is not cut. */
  cutSlow({ raw }: FastifyReply): void {
    // A server that is asked to close would wait for this connection until its client lets go of it.
    raw.shouldKeepAlive = false
    // Tests inject requests that have no connection.
    if (typeof raw.socket?.setTimeout !== 'function') return
    raw.setTimeout(this.#patience, () => {
      if (raw.writableLength > 0) raw.destroy()
      else raw.setTimeout(this.#patience)
    })
  }

  #end(caller: string | undefined): void {
    this.#open--
    if (caller === undefined) return
    const left = (this.#byCaller.get(caller) ?? 1) - 1
    if (left > 0) this.#byCaller.set(caller, left)
    else this.#byCaller.delete(caller)
  }
}

function tooMany(sentence: string): StrongroomError {
  return new StrongroomError('server_busy', `${sentence} Try again when one of them has ended.`, { retryAfter })
}
