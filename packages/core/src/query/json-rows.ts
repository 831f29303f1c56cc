import { type AliasableExpression, type Expression, sql } from 'kysely'
import type { Connection, Statement, StoredRow } from '../engine/engine.ts'
import type { JsonFunctions } from '../engine/json-functions.ts'
import type { CallerContext } from '../session/context.ts'
import { type Task, wait } from '../session/task.ts'
import type { BoundTable } from './bound-table.ts'
import { rowsStatement, type SelectOptions } from './select.ts'

/** Records as JSON, written by the database. */
export interface JsonRows {
  /** Their objects, with commas between them. */
  readonly text: string
  readonly count: number
}

/** Which records, and which of their fields. */
export interface JsonOptions extends SelectOptions {
  readonly columns: readonly string[]
}

/** The database's way to write these fields of a table in JSON; undefined where it would write one of them otherwise than the program, or cannot write so many. */
export function jsonWriter({ engine, unwritten }: BoundTable, columns: readonly string[]): JsonFunctions | undefined {
  if (unwritten.size > 0 && columns.some((name) => unwritten.has(name))) return undefined
  return engine.json && columns.length <= engine.json.mostMembers ? engine.json : undefined
}

/** Reads records as JSON, each in the form that travels. */
export function* selectJson(
  table: BoundTable,
  json: JsonFunctions,
  connection: Connection,
  context: CallerContext | undefined,
  options: JsonOptions,
): Task<JsonRows> {
  const [row] = yield* wait(connection.all(jsonStatement(table, json, context, options), context?.time))
  const count = Number(row?.count)
  return { text: count === 0 ? '' : String(row?.text), count }
}

/** No field of a model is called so: by one that was, the rows would be ordered by what is written of them. */
const written = '~record'

function jsonStatement(table: BoundTable, json: JsonFunctions, context: CallerContext | undefined, options: JsonOptions): Statement {
  return rowsStatement(table, context, options, `json ${shapeOf(options)}`, (rows) =>
    table.engine.builder
      .selectFrom(rows.select(objectOf(table, json, options).as(written)).as('records'))
      .select(({ ref, fn }) => [json.list(ref(written)).as('text'), fn.countAll().as('count')]),
  )
}

/** Reads one record as JSON, and beside it its version. */
export function* selectJsonRecord(
  table: BoundTable,
  json: JsonFunctions,
  connection: Connection,
  context: CallerContext | undefined,
  options: JsonOptions,
): Task<VersionedText | null> {
  const [row] = yield* wait(connection.all(jsonRecordStatement(table, json, context, options), context?.time))
  return row ? versionedText(row) : null
}

/** A record as JSON with its version. */
export interface VersionedText {
  readonly text: string
  readonly version: string
}

/** What a row of `jsonRecordStatement` holds. */
export function versionedText(row: StoredRow): VersionedText {
  return { text: String(row['record']), version: String(row['version']) }
}

export function jsonRecordStatement(
  table: BoundTable,
  json: JsonFunctions,
  context: CallerContext | undefined,
  options: JsonOptions,
): Statement {
  const version = table.model.rowVersion.name
  return rowsStatement(table, context, options, `json record ${shapeOf(options)}`, (rows) =>
    rows.select((eb) => [objectOf(table, json, options).as('record'), eb.ref(version).as('version')]),
  )
}

function shapeOf({ columns, includeDeleted }: JsonOptions): string {
  return `${includeDeleted} ${columns.join()}`
}

function objectOf({ model }: BoundTable, json: JsonFunctions, { columns, includeDeleted }: JsonOptions): AliasableExpression<string> {
  const member = (name: string): readonly [string, Expression<unknown>] => {
    // Of a live record it need not be looked at.
    if (name === model.deletedAt?.name && !includeDeleted) return [name, sql.lit(null)]
    const field = model.fieldsByName.get(name)
    const value = field && json.value(field, sql.ref(name))
    if (!value) throw new Error(`the database does not write ${name} in JSON`)
    return [name, value]
  }
  return json.object(columns.map(member))
}
