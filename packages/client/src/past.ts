import type { QueryPair, WireModel } from '@strongroom/contract'
import type { RecordOf } from './model-types.ts'
import type { CallOptions, ConditionalWriteOptions } from './options.ts'

/** A moment of the past: a Date, or text as in RFC 3339. */
export type Instant = Date | string

/** An entry of the audit log about one record. */
export interface AuditEntry {
  readonly id: number
  readonly timestamp: string
  readonly component: string
  readonly record_id: number | string | null
  readonly operation: string
  readonly actor: string
  /** The record before and after, in the fields that it had then; secrets are `[secret]`. */
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
  readonly request_id: string | null
  readonly transaction_id: string
  readonly tenant: string | null
  readonly epoch: number
  readonly position: number | null
  readonly sealed: boolean
  readonly hash: string | null
}

/** Which of a record's entries. */
export interface HistoryOptions extends CallOptions {
  /** The most entries; 100 unless said, and at most 1,000. */
  readonly limit?: number | undefined
  /** How many entries to skip first. */
  readonly offset?: number | undefined
  /** The `next` of the page before. */
  readonly after?: string | undefined
}

/** A page of a record's history, the newest entry first. */
export interface HistoryPage {
  readonly entries: AuditEntry[]
  /** Cursor for `after` of the next page; absent on the last. */
  readonly next?: string
}

/** Between which moments. */
export interface DiffOptions extends CallOptions {
  readonly from: Instant
  /** Now unless said. */
  readonly to?: Instant | undefined
}

/** What became of a record between two moments. */
export interface RecordDiff<Model extends WireModel> {
  /** The record at the first moment, null where it was not there. */
  readonly from: RecordOf<Model> | null
  readonly to: RecordOf<Model> | null
  /** The fields that differ. */
  readonly changes: readonly { readonly field: keyof RecordOf<Model> & string; readonly from: unknown; readonly to: unknown }[]
}

/** Where a record goes back to. */
export interface RevertOptions extends ConditionalWriteOptions {
  /** An instant, or the id of one of the record's audit entries: the record becomes what that entry left. */
  readonly to: Instant | number
}

/** An instant as it travels. Throws TypeError for a Date that is none. */
export function instantText(instant: Instant): string {
  if (typeof instant === 'string') return instant
  if (Number.isNaN(instant.getTime())) throw new TypeError('This Date is no instant.')
  return instant.toISOString()
}

/** A parameter that is an instant, where it is given. */
export function instantPair(name: string, instant: Instant | undefined): QueryPair[] {
  return instant === undefined ? [] : [{ name, value: instantText(instant) }]
}
