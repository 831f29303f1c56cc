import { auditSelection } from '../audit/audit-accessor.ts'
import { InvalidQueryError, UsageError } from '../errors.ts'
import type { OnceKey } from '../idempotency/once.ts'
import type { Filter } from '../query/filter.ts'
import type { SortKey } from '../query/order.ts'
import { wholeNumber } from '../query/whole-number.ts'
import type { WriteOptions } from '../session/options.ts'

/** Whose changes are undone: what one request, one batch, one import, or one actor did. One of these is said. */
export interface RevertSelection {
  /** What was done in one request. */
  readonly requestId?: string | undefined
  /** What was done in one unit of work, a batch, an import or a transaction: its entries' `transaction_id`. */
  readonly batch?: string | undefined
  /** What an import did that was started as a job, by the job's id. */
  readonly import?: string | undefined
  /** What an actor did since an instant. */
  readonly actor?: string | undefined
  /** From this instant on; required with `actor`. */
  readonly since?: Date | undefined
  /** Before this instant. */
  readonly until?: Date | undefined
}

/** How changes are undone, and in whose name. */
export interface RevertChangesOptions extends Pick<WriteOptions, 'actor' | 'requestId' | 'dryRun' | 'principal' | 'tenant' | 'access'> {
  /**
   * What becomes of records that cannot go back, since somebody else has changed them later or needs what would go: `refuse` (unless said)
   * changes nothing, `skip` leaves them, and those that hang on them, as they are.
   */
  readonly conflicts?: 'refuse' | 'skip' | undefined
  /** How many records may be concerned; 100,000 unless said, and at most a million. If there are more, none is changed. */
  readonly atMost?: number | undefined
  /** Does it once for a key: the same one is answered the same report for 24 hours. A dry run, and one that is refused, keeps nothing. */
  readonly once?: OnceKey | undefined
}

/** Which entries are undone, and how. */
export interface RevertTask {
  readonly filter: Filter
  /** Where all that somebody did since then is undone. */
  readonly since: Date | undefined
  /** An order that an index has. */
  readonly keys: readonly SortKey[]
  readonly skip: boolean
  readonly atMost: number
}

const kinds = ['requestId', 'batch', 'import', 'actor'] as const
const selectionNames = [...kinds, 'since', 'until']
const optionNames = ['actor', 'requestId', 'dryRun', 'principal', 'tenant', 'access', 'conflicts', 'atMost', 'once']

/** Records that one revert may concern when nobody says. */
export const usuallyReverted = 100_000
/** The plan of a revert is held in memory: half a kilobyte for each record. */
export const mostReverted = 1_000_000

/** Checks what is to be undone. Throws InvalidQueryError for a selection that says nothing or too much, UsageError for a misspelt name. */
export function checkRevert(selection: RevertSelection, options: RevertChangesOptions): void {
  refuseStranger(selection, selectionNames)
  refuseStranger(options, optionNames)
  const given = kinds.filter((kind) => selection[kind] !== undefined)
  if (given.length !== 1) throw new InvalidQueryError(`Say what is to be undone by one of ${kinds.join(', ')}.`)
  if (selection.actor !== undefined && selection.since === undefined)
    throw new InvalidQueryError('Say since when the changes of this actor are to be undone.')
  if (selection.requestId !== undefined && selection.requestId === options.requestId)
    throw new InvalidQueryError('A request cannot undo itself: leave the requestId of the revert out, or give it another one.')
  const { conflicts = 'refuse', atMost } = options
  if (conflicts !== 'refuse' && conflicts !== 'skip') throw new InvalidQueryError('conflicts is refuse or skip.')
  if (atMost !== undefined && !(Number.isInteger(atMost) && atMost >= 1 && atMost <= mostReverted))
    throw new InvalidQueryError(`atMost is a whole number from 1 to ${mostReverted}.`)
}

/**
 * Reads what is to be undone.
 * @param selection of an import it has the batch
 */
export function readRevert(selection: Omit<RevertSelection, 'import'>, options: RevertChangesOptions): RevertTask {
  const { requestId, batch, actor, until } = selection
  const { since } = selection
  const { filter } = auditSelection({
    ...(requestId !== undefined && { request_id: requestId }),
    ...(batch !== undefined && { transaction_id: batch }),
    ...(actor !== undefined && { actor }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  })
  const byId = { field: 'id', descending: false }
  const keys = requestId === undefined && batch === undefined ? [{ field: 'timestamp', descending: false }, byId] : [byId]
  return {
    filter,
    since: actor === undefined ? undefined : since,
    keys,
    skip: options.conflicts === 'skip',
    atMost: wholeNumber('atMost', options.atMost) ?? usuallyReverted,
  }
}

function refuseStranger(given: object, known: readonly string[]): void {
  const stranger = Object.keys(given).find((name) => !known.includes(name))
  if (stranger !== undefined)
    throw new UsageError('invalid_options', `"${stranger}" is no part of a revert. There are ${known.join(', ')}.`)
}
