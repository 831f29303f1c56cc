import type { Component } from './models.ts'

/**
 * A request for both engines. In its URL and its body `{authors:7}` stands for the id of a record, `{moment:7}` for an instant, `{entry:7}`
 * for an audit entry, `{place:7}` for a place in the feed of changes and `{next:0}` for the page after that of the last list: each side has
 * its own. Numbers are taken modulo what there is.
 */
export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Whose records are answered; none where an answer says it itself. */
  readonly component?: Component
  /** Whether it is about entries that have their place, which they get later on one of the engines. */
  readonly sealed?: true
  /** What kind of request it is, for counting. */
  readonly kind: string
}
