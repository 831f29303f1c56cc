import { readFilterQuery } from './filter-query.ts'
import type { ListCondition } from './list-condition.ts'
import { once, readFlag } from './query-parameters.ts'
import { QueryError, readWholeNumber } from './query-string.ts'

/** What a change of a filtered collection asks for. */
export interface BulkQuery {
  /** All of them must hold; there is at least one. */
  readonly conditions: readonly ListCondition[]
  /** How many records they may hold for. */
  readonly atMost: number
  readonly dryRun: boolean
  readonly purge: boolean
}

/** Records that one change of a filtered collection may touch. */
export const mostBulkRecords = 10_000

/** The parameters of a change of a filtered collection that are no filters. */
export const bulkParameters = ['and', 'or', 'not', 'at_most', 'dry_run'] as const

/**
 * Reads the query of a change of a filtered collection: `PATCH /users?role=guest&at_most=100`. It has to have a filter and a cap:
 * whoever forgets one of them would change everything.
 *
 * @param options.purge the route also takes `purge`
 * @throws QueryError that names what is wrong and says what exists
 */
export function parseBulkQuery(raw: string, options: { readonly fields: readonly string[]; readonly purge: boolean }): BulkQuery {
  const known = options.purge ? [...bulkParameters, 'purge'] : bulkParameters
  const { conditions, parameters } = readFilterQuery(raw, known, options.fields)
  if (conditions.length === 0) throw new QueryError('A change of many records needs a filter: ?role=guest&at_most=100.')
  const cap = once(parameters, 'at_most')
  const atMost = cap === undefined ? undefined : readWholeNumber(cap, 1, mostBulkRecords)
  if (atMost === undefined) {
    throw new QueryError(`at_most says how many records the filter may hold for: a whole number from 1 to ${mostBulkRecords}.`)
  }
  return {
    conditions,
    atMost,
    dryRun: readFlag('dry_run', once(parameters, 'dry_run')),
    purge: readFlag('purge', once(parameters, 'purge')),
  }
}
