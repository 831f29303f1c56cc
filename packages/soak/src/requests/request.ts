import type { Operation } from './document.ts'

/** A request before it is written: each part can still be broken. */
export interface Draft {
  readonly operation: Operation
  method: string
  /** As it stands in the request line, without the query. */
  path: string
  /** Names and values, not yet encoded. */
  query: [name: string, value: string][]
  /** The query as it stands in the request line, where it is not made of names and values. */
  rawQuery?: string
  headers: Record<string, string | string[]>
  /** What the body says; `text` is written instead where there is one. */
  body?: unknown
  text?: string | Buffer
  /** What was done to it; a good one has no kind. */
  kind?: string
}

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
  /** The body as it came, where it is a file. */
  readonly file?: Buffer
  /** Milliseconds. */
  readonly duration: number
}

/** The same once more, to be changed on its own. */
export function copyOf(draft: Draft): Draft {
  const { query, headers, body } = structuredClone({ query: draft.query, headers: draft.headers, body: draft.body })
  return { ...draft, query, headers, body }
}

/** Path and query of a draft. */
export function urlOf({ path, query, rawQuery }: Draft): string {
  const pairs = rawQuery ?? query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  return pairs === '' ? path : `${path}?${pairs}`
}

/** Percent-encodes as browsers do; a lone surrogate has no encoding, and travels as the bytes that would be its own. */
export function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : Array.from(text, (character) => encodeCharacter(character)).join('')
}

function encodeCharacter(character: string): string {
  return character.isWellFormed() ? encodeURIComponent(character) : '%ED%A0%80'
}

/** The bytes of a draft's body. */
export function payloadOf({ text, body }: Draft): string | Buffer | undefined {
  if (text !== undefined) return text
  return body === undefined ? undefined : JSON.stringify(body)
}
