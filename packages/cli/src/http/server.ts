import type { IncomingMessage } from 'node:http'
import { type Readable, Transform, type Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Unreachable, WrongUse } from '../faults.ts'
import { withoutPasswords } from '../output/printable.ts'
import type { Progress } from '../output/progress.ts'
import type { Watch } from '../target/target.ts'
import { contentOf, readFault } from './read-fault.ts'
import { send } from './send.ts'

export interface ServerOptions {
  readonly url: string
  /** `Name: value` each. */
  readonly headers: readonly string[]
  readonly token: string | undefined
}

/** What is asked, below the server's URL. */
export interface Ask {
  readonly method?: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Readable
}

/** Bytes of an answer that is no download: more than a page of entries with large records. */
const longestText = 512 * 1024 * 1024

/** A server, and how to ask it. */
export class Server {
  readonly name: string
  readonly #base: URL
  readonly #headers: Readonly<Record<string, string>>

  constructor({ url, headers, token }: ServerOptions) {
    if (!URL.canParse(url)) throw new WrongUse(`${withoutPasswords(url)} is no URL. Write it as http://127.0.0.1:3000.`)
    this.#base = new URL(url)
    this.#headers = { ...login(this.#base, token), ...Object.fromEntries(headers.map(readHeader)) }
    this.#base.username = ''
    this.#base.password = ''
    this.#base.search = ''
    this.#base.hash = ''
    this.#base.pathname = this.#base.pathname.replace(/\/+$/, '')
    this.name = this.#base.href.replace(/\/$/, '')
  }

  /** Asks, and answers with what came back when it is a success. Throws Fault for everything else. */
  async ask({ method = 'GET', path, query = {}, headers = {}, body }: Ask, { signal }: Watch): Promise<IncomingMessage> {
    const url = this.#urlOf(path)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
    const answer = await send({ method, url, headers: { ...this.#headers, ...headers }, body, signal })
    const status = answer.statusCode ?? 0
    if (status >= 200 && status < 300) return answer
    throw readFault(status, await this.#textOf(answer), url.origin)
  }

  #urlOf(path: string): URL {
    const url = new URL(this.#base)
    const [pathname = '', search = ''] = path.split('?', 2)
    url.pathname = `${this.#base.pathname.replace(/\/$/, '')}${pathname}`
    url.search = search
    return url
  }

  /** The JSON of an answer, out of its envelope. */
  async json(answer: IncomingMessage): Promise<unknown> {
    this.assertType(answer, 'application/json')
    const body = await this.#textOf(answer)
    try {
      return contentOf(JSON.parse(body))
    } catch {
      throw new Unreachable(`${this.name} answered with JSON that cannot be read.`)
    }
  }

  /** The text of an answer. */
  async text(answer: IncomingMessage, mediaType: string): Promise<string> {
    this.assertType(answer, mediaType)
    return this.#textOf(answer)
  }

  /** Takes a download, which is whole or fails. */
  async download(answer: IncomingMessage, mediaType: string, output: Writable, { signal, progress }: Watch): Promise<void> {
    this.assertType(answer, mediaType)
    const length = Number(answer.headers['content-length'])
    progress.step('Downloading', Number.isNaN(length) ? undefined : length)
    try {
      await pipeline(answer, counting(progress), output, { signal })
    } catch (error) {
      throw signal.aborted ? signal.reason : brokenOff(this.name, answer, error)
    }
  }

  /** Another program may listen there. */
  assertType({ headers }: IncomingMessage, mediaType: string): void {
    const found = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
    if (found === mediaType) return
    throw new WrongUse(
      `${this.name} is no Strongroom server, or has another prefix: it answered with ${found ?? 'no media type'} in place of ${mediaType}.`,
    )
  }

  async #textOf(answer: IncomingMessage): Promise<string> {
    try {
      return await text(limited(answer))
    } catch (error) {
      throw brokenOff(this.name, answer, error)
    }
  }
}

/** Bytes on their way, counted. */
function counting(progress: Progress): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, callback) => {
      progress.advance(chunk.length)
      callback(null, chunk)
    },
  })
}

function brokenOff(name: string, answer: IncomingMessage, error: unknown): unknown {
  return answer.complete ? error : new Unreachable(`${name} broke off its answer: what it began cannot be used.`, { cause: error })
}

async function* limited(answer: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0
  // A stream without an encoding hands out Buffers.
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > longestText) throw new Unreachable('The answer is too long.')
    yield chunk
  }
}

/** A login that the URL has, or a token. */
function login({ username, password }: URL, token: string | undefined): Record<string, string> {
  if (username !== '' || password !== '') {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  }
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** The value stays unsaid in the error: it may be a password. */
function readHeader(text: string): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9a-z-]+):\s*([\t\x20-\x7e\x80-\xff]*)$/i.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new WrongUse("--header takes NAME: VALUE, such as --header 'Authorization: Bearer …'.")
  return [name.toLowerCase(), value.trim()]
}
