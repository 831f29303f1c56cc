import { parseAggregateQuery } from '@strongroom/contract'
import type { AnyModel, ModelAccessor } from '@strongroom/core'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { rawQuery, readQuery, visibleFields, whereOf } from '../query.ts'
import { answerJson } from '../reply.ts'
import type { RecordRoom } from './record-room.ts'

/** `GET /users/aggregate`: measures groups of records. */
export function aggregateRecords({ accessor }: RecordRoom): RouteHandlerMethod {
  return async (request, reply) => {
    const groups = await measure(accessor, request)
    return answerJson(reply, 200, groups, { message: 'Groups measured' })
  }
}

async function measure(accessor: ModelAccessor<AnyModel>, request: FastifyRequest): Promise<Record<string, unknown>[]> {
  const model = accessor.visibleModel()
  const fields = visibleFields(model).map((field) => field.name)
  const { conditions, groupBy, measures, limit, includeDeleted } = readQuery(() => parseAggregateQuery(rawQuery(request), fields))
  // Names that were checked against the model, whose type is not known here.
  const options = { groupBy, measures, where: whereOf(model, conditions), includeDeleted, limit: limit + 1 } as never
  const rows = await accessor.aggregate(options)
  const grouped = new Set(groupBy)
  return rows.slice(0, limit).map((row) => wireGroup(model, grouped, row))
}

/** Groups and least and greatest values travel like their fields; counts are numbers, and so are averages. A measure may be called like a field that it is not of. */
function wireGroup(model: AnyModel, grouped: ReadonlySet<string>, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const field = model.fieldsByName.get(grouped.has(name) ? name : name.replace(/^(sum|min|max)_/, ''))
      return [name, value === null || typeof value === 'number' || field === undefined ? value : field.toJson(value)]
    }),
  )
}
