import { Readable } from 'node:stream'

/** One event of a stream: its fields by their names. */
export type Fields = Readonly<Record<string, string>>

/** A stream of events as an EventSource reads it. */
export class Events {
  readonly response: Response
  readonly #ending: AbortController
  readonly #blocks: AsyncGenerator<Fields, void, undefined>

  private constructor(response: Response, ending: AbortController) {
    this.response = response
    this.#ending = ending
    this.#blocks = blocksOf(response)
  }

  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Events> {
    const ending = new AbortController()
    const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: ending.signal })
    return new Events(response, ending)
  }

  /** The next events that have data, so many. */
  async next(count: number): Promise<Fields[]> {
    const found: Fields[] = []
    while (found.length < count) {
      const { value, done } = await this.#blocks.next()
      if (done) break
      if ('data' in value) found.push(value)
    }
    return found
  }

  close(): void {
    this.#ending.abort()
  }
}

async function* blocksOf({ body }: Response): AsyncGenerator<Fields, void, undefined> {
  let text = ''
  for await (const chunk of Readable.fromWeb(body as never).setEncoding('utf8')) {
    text += String(chunk)
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) yield Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2))) as Fields
  }
}

export const told = ({ id, event, data = '{}' }: Fields): unknown => {
  const { operation, record_id: recordId } = JSON.parse(data) as Record<string, unknown>
  return event === 'reset' ? ['reset', JSON.parse(data)] : [id, operation, recordId]
}
