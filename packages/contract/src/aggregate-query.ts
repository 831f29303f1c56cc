import { readFilterQuery } from './filter-query.ts'
import type { ListCondition } from './list-condition.ts'
import { once, readFlag, readLimit, readNames } from './query-parameters.ts'

/** What `GET /users/aggregate` asks for. */
export interface AggregateQuery {
  readonly conditions: readonly ListCondition[]
  readonly groupBy: readonly string[]
  /** `count`, or a function of a field: `avg:age`. */
  readonly measures: readonly string[]
  /** The most groups to answer. */
  readonly limit: number
  readonly includeDeleted: boolean
}

/** The parameters of an aggregate that are no filters. */
export const aggregateParameters = ['and', 'or', 'not', 'group_by', 'measures', 'limit', 'include_deleted'] as const

/** Groups that an aggregate answers at most. */
const mostGroups = 1000

/**
 * Reads the query of an aggregate: `?group_by=role&measures=count,avg:age&age[gte]=18`.
 *
 * @throws QueryError that names what is wrong and says what exists
 */
export function parseAggregateQuery(raw: string, fields: readonly string[]): AggregateQuery {
  const { conditions, parameters } = readFilterQuery(raw, aggregateParameters, fields)
  const measures = (parameters.get('measures') ?? ['count']).flatMap((text) => text.split(',')).filter((text) => text !== '')
  return {
    conditions,
    groupBy: readNames('group_by', parameters.get('group_by') ?? [], fields),
    measures,
    limit: readLimit(once(parameters, 'limit'), { defaultLimit: mostGroups, maxLimit: mostGroups }),
    includeDeleted: readFlag('include_deleted', once(parameters, 'include_deleted')),
  }
}
