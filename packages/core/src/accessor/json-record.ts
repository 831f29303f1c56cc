import type { Awaitable } from '../engine/engine.ts'
import { isPromise } from '../engine/is-promise.ts'
import { isId } from '../model/record-id.ts'
import { recordToJson } from '../model/record-json.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals } from '../query/filter.ts'
import { jsonRecordStatement, jsonWriter, selectJsonRecord, type VersionedText, versionedText } from '../query/json-rows.ts'
import { versionOf } from '../query/record-version.ts'
import { parseWhere } from '../query/where.ts'
import type { ReadOptions } from '../session/options.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { modelFor } from './permit.ts'
import { getRecord, type Question } from './read.ts'
import { callerForIdAlone, readById } from './read-by-id.ts'
import { wireColumns } from './wire-page.ts'

/** A record as a JSON text, as it travels, and its version for `ifMatch` and the ETag. */
export type JsonRecord = VersionedText

/** The record with this id as JSON text, or null: written by the database where it writes all of the model's fields as JSON.stringify would. */
export function getJson(
  bound: BoundAccessor,
  id: unknown,
  question: Pick<Question, 'includeDeleted' | 'where' | keyof ReadOptions>,
): Awaitable<JsonRecord | null> {
  const { model, table } = bound
  const known = modelFor(bound, question)
  const columns = wireColumns(known)
  const json = jsonWriter(table, columns)
  if (!json) return writtenHere(bound, getRecord(bound, id, question))
  const condition = parseWhere(known, question.where)
  if (!isId(model, id)) return null
  const caller = callerForIdAlone(bound, question)
  if (caller)
    return readById(bound, model.id.normalise(id), caller, {
      columns,
      statement: (context, options) => jsonRecordStatement(table, json, context, { ...options, columns }),
      use: versionedText,
    })
  const filter = allOf(equals(model.id.name, model.id.normalise(id)), condition)
  const options = { filter, includeDeleted: question.includeDeleted ?? false, order: [], columns }
  return bound.units.read(question, (connection, context) => selectJsonRecord(table, json, connection, context, options))
}

function writtenHere({ model }: BoundAccessor, found: Awaitable<FieldValues | null>): Awaitable<JsonRecord | null> {
  const write = (record: FieldValues | null): JsonRecord | null =>
    record && { text: JSON.stringify(recordToJson(model, record, { secrets: 'omit' })), version: versionOf(record) ?? '' }
  return isPromise(found) ? found.then(write) : write(found)
}
