import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { type Answer, type Draft, payloadOf, urlOf } from './request.ts'

/** Milliseconds after which a request that has no answer hangs. */
export const longestAnswer = 10_000

/** A request that was not answered in time, or whose connection broke. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** A connection that was kept from an earlier request broke before anything came back. */
class LetGo extends NoAnswer {}

/** Sends requests to one server. */
export class Client {
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true })

  constructor(url: string) {
    this.#url = new URL(url)
  }

  async send(draft: Draft): Promise<Answer> {
    try {
      return await this.#send(draft)
    } catch (error) {
      // The server may let go of a connection that was kept while the next request is on its way: Node's Agent leaves that to its user.
      if (error instanceof LetGo && draft.method === 'GET') return await this.#send(draft)
      throw error
    }
  }

  #send(draft: Draft): Promise<Answer> {
    const payload = payloadOf(draft)
    const started = performance.now()
    const { hostname, port } = this.#url
    // A body is sent with any method, an empty one too.
    const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }
    const options = {
      hostname,
      port,
      agent: this.#agent,
      method: draft.method,
      path: urlOf(draft),
      headers: { ...draft.headers, ...length },
    }
    return new Promise((resolve, reject) => {
      const sent = request(options, async (incoming) => {
        try {
          const isFeed = String(incoming.headers['content-type']).startsWith('text/event-stream')
          // It goes on for ever: what it begins with is all that can be judged.
          const chunks = await (isFeed ? incoming.take(1) : incoming).toArray()
          if (isFeed) sent.destroy()
          clearTimeout(timer)
          const bytes = Buffer.concat(chunks)
          const { statusCode = 0, headers } = incoming
          const isText = /json|text|xml/.test(headers['content-type'] ?? 'text')
          const content = isText ? { body: bytes.toString('utf8') } : { body: bytes.toString('latin1'), file: bytes }
          resolve({ status: statusCode, headers, ...content, duration: performance.now() - started })
        } catch (cause) {
          reject(new NoAnswer('the answer was cut off', { cause }))
        }
      })
      const timer = setTimeout(() => sent.destroy(new NoAnswer(`no answer in ${longestAnswer} ms`)), longestAnswer)
      sent.on('error', (cause) => {
        clearTimeout(timer)
        const wasKept = sent.reusedSocket && 'code' in cause && cause.code === 'ECONNRESET'
        if (wasKept) reject(new LetGo(cause.message, { cause }))
        else reject(cause instanceof NoAnswer ? cause : new NoAnswer(cause.message, { cause }))
      })
      sent.end(payload)
    })
  }

  /** Sends bytes that are no request, ends the sending side, and answers all that came back until the server closed. */
  async sendBytes(bytes: Buffer): Promise<string> {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), allowHalfOpen: true })
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    // The server may be done with such bytes before it has read them all.
    socket.on('error', () => undefined)
    const timer = setTimeout(() => socket.destroy(), longestAnswer)
    const started = performance.now()
    socket.end(bytes)
    await once(socket, 'close')
    clearTimeout(timer)
    if (performance.now() - started >= longestAnswer) throw new NoAnswer(`the connection was open for ${longestAnswer} ms`)
    return Buffer.concat(chunks).toString('utf8')
  }

  close(): void {
    this.#agent.destroy()
  }
}
