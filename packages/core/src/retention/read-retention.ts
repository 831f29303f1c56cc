import { UsageError } from '../errors.ts'
import { readInterval } from '../transfer/schedule/read-plan.ts'

/** How long the entries of a component are kept: while they are younger than `for`, or among the newest `entries`; with both while either holds. */
export interface KeptEntries {
  /** `'90d'`, `'12h'`, or milliseconds. */
  readonly for?: string | number | undefined
  readonly entries?: number | undefined
}

/** How much of the audit log is kept. */
export interface RetentionOptions {
  /** By component; `*` stands for all others, `db` for entries about the database itself. Of what is not named everything is kept. */
  readonly keep: Readonly<Record<string, KeptEntries>>
  /** How long from one look to the next: `'1h'` unless said. */
  readonly every?: string | number | undefined
}

/** The same, read. Times are in milliseconds. */
export interface RetentionPlan {
  readonly keep: ReadonlyMap<string, { readonly age: number | undefined; readonly entries: number | undefined }>
  readonly every: number
}

/** Reads the option `retention`. Throws UsageError `invalid_options` with a sentence. */
export function readRetention(options: RetentionOptions): RetentionPlan {
  if (!isObject(options) || !isObject(options.keep) || Object.keys(options.keep).length === 0)
    refuse("retention is an object: retention: { keep: { users: { for: '365d' }, '*': { entries: 100_000 } } }.")
  const stranger = Object.keys(options).find((name) => name !== 'keep' && name !== 'every')
  if (stranger !== undefined) refuse(`"${stranger}" is no option of retention. There are keep, every.`)
  const keep = Object.entries(options.keep).map(([component, kept]) => [component, readKept(`retention.keep.${component}`, kept)] as const)
  return { keep: new Map(keep), every: readInterval(options.every ?? '1h', 'retention.every') }
}

function readKept(name: string, kept: KeptEntries): { readonly age: number | undefined; readonly entries: number | undefined } {
  if (!isObject(kept)) refuse(`${name} says for how long, or how many: { for: '365d' } or { entries: 100_000 }.`)
  const stranger = Object.keys(kept).find((word) => word !== 'for' && word !== 'entries')
  if (stranger !== undefined) refuse(`"${stranger}" is no part of ${name}. There are for, entries.`)
  const { entries } = kept
  if (kept.for === undefined && entries === undefined)
    refuse(`${name} says for how long, or how many: { for: '365d' } or { entries: 100_000 }.`)
  if (entries !== undefined && (!Number.isSafeInteger(entries) || entries < 1)) refuse(`${name}.entries is a whole number from 1 on.`)
  return { age: kept.for === undefined ? undefined : readInterval(kept.for, `${name}.for`), entries }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(message: string): never {
  throw new UsageError('invalid_options', message)
}
