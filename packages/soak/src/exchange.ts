import { type Agent, request } from 'node:http'

/** One request of a client. */
export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

/** An answer that came whole. */
export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  /** What the JSON of the body says; undefined where there is none. */
  readonly body: unknown
}

/** Milliseconds of silence after which nobody waits for an answer any longer. */
const patience = 30_000

/** Sends a request; undefined when the connection was cut before its answer was whole: what came of it is unknown. */
export function exchange(agent: Agent, { method, url, headers, body }: Ask): Promise<Answer | undefined> {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const ofBody = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
  return new Promise((resolve) => {
    const options = { method, agent, timeout: patience, headers: { 'x-user': 'campaign', ...ofBody, ...headers } }
    const outgoing = request(url, options, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', () => resolve(undefined))
      incoming.on('close', () => {
        if (!incoming.complete) return resolve(undefined)
        const text = Buffer.concat(chunks).toString()
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text === '' ? undefined : JSON.parse(text) })
      })
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', () => resolve(undefined))
    outgoing.end(payload)
  })
}
