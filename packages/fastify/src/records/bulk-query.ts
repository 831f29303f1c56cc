import { parseBulkQuery } from '@strongroom/contract'
import { StrongroomError } from '@strongroom/core'
import type { FastifyRequest } from 'fastify'
import { type RecordQuery, rawQuery, readQuery, visibleFields, whereOf } from '../query.ts'
import { refuseConditions } from './entity-tags.ts'
import type { RecordRoom } from './record-room.ts'

/** A change of a filtered collection in the accessor's words. */
export interface RecordBulkQuery {
  readonly where: RecordQuery['where']
  readonly atMost: number
  readonly dryRun: boolean
  readonly purge: boolean
}

/** Reads the query of a change of a filtered collection. `purge`: the route takes that, too. */
export function readBulkQuery({ accessor }: RecordRoom, request: FastifyRequest, purge: boolean): RecordBulkQuery {
  const model = accessor.visibleModel()
  const fields = visibleFields(model).map((field) => field.name)
  const { conditions, ...rest } = readQuery(() => parseBulkQuery(rawQuery(request), { fields, purge }))
  return { ...rest, where: whereOf(model, conditions) }
}

/** An entity tag is that of one record: who must or wants to say one has to change records one by one. */
export function refuseUnversioned({ requireIfMatch }: RecordRoom, request: FastifyRequest): void {
  if (requireIfMatch) {
    throw new StrongroomError(
      'precondition_required',
      'Every change here names the version of its record: change the records one by one, with If-Match.',
    )
  }
  refuseConditions(request, 'Leave them out here, or change the records one by one.')
}
