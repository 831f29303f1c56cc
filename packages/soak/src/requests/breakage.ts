import type { Dice } from './dice.ts'
import type { ApiDocument, Schema } from './document.ts'
import type { Guess } from './good-requests.ts'
import type { Draft } from './request.ts'
import type { ValueMaker } from './values.ts'

/** What a breakage works with. */
export interface Workshop {
  readonly document: ApiDocument
  readonly dice: Dice
  readonly values: ValueMaker
  /** A request of the same operation that was done for its Idempotency-Key. */
  readonly keyed: Draft | undefined
  /** References in the body of the request. */
  readonly guesses: readonly Guess[]
  /** The name of the records' key. */
  readonly key: string | undefined
}

/** One way to break a request. */
export interface Breakage {
  readonly kind: string
  /** Whether no server may do what such a request says; else it may be answered either way, but never with 5xx. */
  readonly mustBeRefused: boolean | ((draft: Draft) => boolean)
  /** Breaks the draft, and answers whether it could. */
  apply(draft: Draft, workshop: Workshop): boolean
}

/** The schemas of the draft's body that describe one object. */
export function objectSchemas({ operation }: Draft, document: ApiDocument): Schema[] {
  return operation.bodies
    .flatMap(({ schema }) => document.forms(schema))
    .map((form) => (form.items ? document.follow(form.items) : form))
    .filter((form) => form.properties !== undefined)
}

/** The object that the draft's body is, or the first of its list. */
export function bodyObject({ body }: Draft): Record<string, unknown> | undefined {
  const first: unknown = Array.isArray(body) ? body[0] : body
  // What is neither null nor a list nor a scalar is an object of JSON.
  return typeof first === 'object' && first !== null && !Array.isArray(first) ? (first as Record<string, unknown>) : undefined
}

/** Members of the body with their schemas, those that a test chooses. */
export function members(
  draft: Draft,
  document: ApiDocument,
  wanted: (forms: readonly Schema[]) => boolean,
): { readonly name: string; readonly forms: readonly Schema[] }[] {
  return objectSchemas(draft, document).flatMap(({ properties = {} }) =>
    Object.entries(properties)
      .map(([name, schema]) => ({ name, forms: document.forms(schema) }))
      .filter(({ forms }) => wanted(forms)),
  )
}

/** Writes the draft's body with some text of JSON, which JSON.stringify would not write, as the value of a member. */
export function withLiteral(draft: Draft, name: string, literal: string): boolean {
  const object = bodyObject(draft)
  if (!object) return false
  object[name] = '@literal@'
  draft.text = JSON.stringify(draft.body).replace('"@literal@"', () => literal)
  return true
}
