/** One event of a stream, or a place without one. */
export interface StreamedEvent {
  /** The last id that was given; it holds until another one is. */
  readonly id: string | undefined
  readonly name: string
  /** Undefined where there is no event: only the place has moved. */
  readonly data: string | undefined
}

/** Reads server-sent events as the HTML standard says: lines that end with CR, LF or both, and blocks that end with an empty one. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamedEvent, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let id: string | undefined
  let fields = emptyFields()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      // A block that was cut off is none.
      if (done) return
      const lines = (rest + decoder.decode(value, { stream: true })).split(lineEnd)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line !== '') {
          readLine(fields, line)
          continue
        }
        id = fields.id ?? id
        if (fields.id !== undefined || fields.data.length > 0)
          yield { id, name: fields.name, data: fields.data.length > 0 ? fields.data.join('\n') : undefined }
        fields = emptyFields()
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** A CR at the end of a piece may be half of a line's end: it waits for what follows. */
const lineEnd = /\r\n|\n|\r(?!$)/

interface Fields {
  id: string | undefined
  name: string
  readonly data: string[]
}

function emptyFields(): Fields {
  return { id: undefined, name: 'message', data: [] }
}

function readLine(fields: Fields, line: string): void {
  const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
  if (name === 'id' && !value.includes('\0')) fields.id = value
  if (name === 'event') fields.name = value
  if (name === 'data') fields.data.push(value)
}
