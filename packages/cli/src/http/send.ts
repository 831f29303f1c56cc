import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as safeRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Unreachable } from '../faults.ts'

/** What is asked of a server. */
export interface Question {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Readable | undefined
  readonly signal: AbortSignal
}

/** Milliseconds after which a silent connection is asked whether it is still there: a backup may take long to begin. */
const keepAliveDelay = 30_000

/**
 * Asks a server, without a limit of time, and answers as soon as the head of its answer is there. `fetch` gives up after 5 minutes
 * without a head, in which a large backup may not be made yet.
 *
 * @throws Unreachable where nobody answers
 */
export async function send({ method, url, headers, body, signal }: Question): Promise<IncomingMessage> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = (url.protocol === 'https:' ? safeRequest : plainRequest)(url, { method, headers, signal, agent: false })
  outgoing.on('socket', (socket) => socket.setKeepAlive(true, keepAliveDelay))
  outgoing.on('response', resolve)
  outgoing.on('error', (error) => reject(signal.aborted ? signal.reason : unreachable(url, error)))
  if (!body) outgoing.end()
  else {
    pipeline(body, outgoing).catch((error: unknown) => {
      // A server may refuse before it has read all; its answer tells why. What the file itself had against being read is told here.
      if (body.errored && body.errored !== signal.reason) reject(error)
    })
  }
  const answer = await promise
  // A body is not sent on to somebody who has answered.
  answer.once('close', () => body?.destroy())
  return answer
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to it',
}

function unreachable(url: URL, error: Error): Unreachable {
  const code = 'code' in error ? String(error.code) : ''
  return new Unreachable(`Cannot reach ${url.origin}: ${reasons[code] ?? error.message}.`, { cause: error })
}
