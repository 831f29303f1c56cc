import type { ErrorCode } from './error-codes.ts'
import type { WireSchema } from './route.ts'

/** How a server answers: with the thing itself and headers about it, or with an envelope around it. */
export type ResponseStyle = 'bare' | 'envelope'

/** Both styles, the default first. */
export const responseStyles: readonly ResponseStyle[] = ['bare', 'envelope']

/** Where a page of a list stands. What is not known is null. */
export interface Pagination {
  /** How many records hold the conditions; null with `count=none`. */
  readonly total: number | null
  /** Records on a page. */
  readonly limit: number
  /** How many were skipped; null after or before a cursor. */
  readonly offset: number | null
  /** The `after` of the next page, null on the last. */
  readonly next: string | null
  /** The `before` of the previous page, null on the first. */
  readonly previous: string | null
}

/** What a server with `responses: 'envelope'` answers when all went well. */
export interface SuccessEnvelope<Data = unknown> {
  readonly success: true
  readonly message: string
  /** What a bare server answers. */
  readonly data: Data
  /** Null where the answer is no page of a list. */
  readonly pagination: Pagination | null
}

/** What it answers instead of a problem. */
export interface FailureEnvelope {
  readonly success: false
  /** The problem's detail. */
  readonly message: string
  readonly status_code: number
  readonly details: {
    readonly code: ErrorCode
    readonly title: string
    readonly instance: string
    readonly request_id: string
    /** Of a batch: the operation that failed, from 0 on. */
    readonly operation?: number
    readonly errors?: readonly { readonly path: string; readonly message: string }[]
  }
}

/** `pagination` as JSON Schema. */
export const paginationSchema: WireSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['total', 'limit', 'offset', 'next', 'previous'],
  properties: {
    total: { type: ['integer', 'null'], minimum: 0 },
    limit: { type: 'integer', minimum: 0 },
    offset: { type: ['integer', 'null'], minimum: 0 },
    next: { type: ['string', 'null'] },
    previous: { type: ['string', 'null'] },
  },
}

/** A success envelope around an answer. `paged`: it is a page of a list. */
export function successSchema(data: WireSchema, paged: boolean): WireSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['success', 'message', 'data', 'pagination'],
    properties: {
      success: { const: true },
      message: { type: 'string' },
      data,
      pagination: paged ? paginationSchema : { type: 'null' },
    },
  }
}
