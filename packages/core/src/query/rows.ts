import type { Expression } from 'kysely'
import type { Connection, Statement, StoredRow } from '../engine/engine.ts'
import { ConflictError } from '../errors.ts'
import { makeRowVersion } from '../model/row-version.ts'
import type { CallerContext } from '../session/context.ts'
import { type Task, wait } from '../session/task.ts'
import type { BoundTable, FieldValues } from './bound-table.ts'
import { describeFilter, renderFilter } from './condition.ts'
import { oneOf } from './filter.ts'
import { targetsFirst } from './insert-order.ts'
import { noteVersion } from './record-version.ts'
import { conditionOf, countStatement, type Selection, type SelectOptions, selectStatement } from './select.ts'
import { bind, piecesOf, type Shape, Slot, shapeOf } from './shape.ts'

/** Reads records. */
export function* selectRows(
  table: BoundTable,
  connection: Connection,
  context: CallerContext | undefined,
  options: SelectOptions,
): Task<FieldValues[]> {
  const rows = yield* wait(connection.all(selectStatement(table, context, options), context?.time))
  if (options.wire) return rows.map((row) => table.toWire(row))
  return options.version ? rows.map((row) => withoutVersion(table, row)) : rows.map((row) => table.decode(row))
}

/** A record and, beside it, its version: leaving the column in the record would make it a field. */
function withoutVersion(table: BoundTable, row: StoredRow): FieldValues {
  const record: FieldValues = {}
  for (const name of table.recordColumns) record[name] = row[name]
  noteVersion(table.decode(record), String(row[table.model.rowVersion.name]))
  return record
}

/** Counts records, up to `upTo` where it is given. */
export function* countRows(
  table: BoundTable,
  connection: Connection,
  context: CallerContext | undefined,
  selection: Selection,
  upTo?: number,
): Task<number> {
  const rows = yield* wait(connection.all(countStatement(table, context, selection, upTo), context?.time))
  return Number(rows[0]?.count)
}

/** Inserts records as they are; ids that the database counts are written into them. */
export function* insertRows(table: BoundTable, connection: Connection, records: readonly FieldValues[]): Task<void> {
  const idName = table.model.id.name
  const given = records.filter((record) => record[idName] !== undefined)
  // Records with ids of their own come first: others may point to them, and the ones that are counted keep out of their way.
  if (given.length > 0) yield* insertIdentified(table, connection, given)
  if (given.length === records.length) return
  const counted = given.length === 0 ? records : records.filter((record) => record[idName] === undefined)
  yield* insertCounted(table, connection, counted)
}

function* insertIdentified(table: BoundTable, connection: Connection, records: readonly FieldValues[]): Task<void> {
  const { id, idType, name } = table.model
  yield* insertGiven(table, connection, targetsFirst(table.model, records))
  if (idType !== 'integer') return
  // The model's id is an integer, so its values are numbers.
  const highest = records.reduce((most, record) => Math.max(most, record[id.name] as number), 0)
  yield* wait(table.engine.advanceIds(connection, name, id.name, highest))
}

function* insertCounted(table: BoundTable, connection: Connection, records: readonly FieldValues[]): Task<void> {
  const columns = table.model.fields.map((field) => field.name).filter((name) => name !== table.model.id.name)
  const idName = table.model.id.name
  for (const piece of piecesOf(records, largestPiece(table))) {
    const versions = piece.map(() => makeRowVersion())
    if (piece.length === 1 && connection.insertedId) {
      const id = connection.insertedId(insertStatement(table, columns, piece, versions))
      noteVersions(piece, versions)
      for (const record of piece) record[idName] = countedId(table, id)
      continue
    }
    const rows = yield* wait(connection.all(insertStatement(table, columns, piece, versions, { returning: true })))
    noteVersions(piece, versions)
    if (piece.length === 1) {
      for (const record of piece) record[idName] = countedId(table, rows[0]?.[idName])
      continue
    }
    // No engine promises the order of RETURNING; the random row_version tells which row is which.
    const ids = new Map(rows.map((row) => [row.row_version, countedId(table, row[idName])]))
    piece.forEach((record, index) => {
      record[idName] = ids.get(versions[index])
    })
  }
}

/**
 * Inserts records that are read again before anybody uses them: all of them come with their ids, or none does. To hand out the ids that
 * the database counts takes a third of the time (measured). `computed` columns get the answer of an expression in the place of a value.
 */
export function* appendRows(
  table: BoundTable,
  connection: Connection,
  records: readonly FieldValues[],
  computed?: InsertOptions['computed'],
): Task<void> {
  const idName = table.model.id.name
  const counted = records[0]?.[idName] === undefined
  const columns = table.model.fields.map((field) => field.name).filter((name) => !(counted && name === idName))
  for (const piece of piecesOf(records, largestPiece(table))) {
    const versions = piece.map(() => makeRowVersion())
    yield* wait(connection.run(insertStatement(table, columns, piece, versions, computed && { computed })))
  }
}

/**
 * Inserts one record, whose id is the next one that the database counts, by that: an id that is said would cost copies of every page that the
 * statement changes, where the table has triggers. Answers whether the record got this id.
 */
export function* appendNext(table: BoundTable, connection: Connection, record: FieldValues): Task<boolean> {
  const { id, fields } = table.model
  if (!connection.insertedId) {
    yield* appendRows(table, connection, [record])
    return true
  }
  const columns = fields.map((field) => field.name).filter((name) => name !== id.name)
  const statement = insertStatement(table, columns, [record], [makeRowVersion()], { orFail: table.engine.capabilities.insertOrFail })
  return Number(connection.insertedId(statement)) === record[id.name]
}

/** Ids past 2^53 would be read as their neighbours: whoever took the highest one was the last. */
function countedId({ model }: BoundTable, given: unknown): number {
  const id = Number(given)
  if (Number.isSafeInteger(id)) return id
  throw idsUsedUp({ model })
}

export function idsUsedUp({ model }: Pick<BoundTable, 'model'>): ConflictError {
  return new ConflictError('state_conflict', `${model.name} has given its highest possible id away, and has none left for another record.`)
}

function* insertGiven(table: BoundTable, connection: Connection, records: readonly FieldValues[]): Task<void> {
  const columns = table.model.fields.map((field) => field.name)
  for (const piece of givenPieces(table, records)) {
    const versions = piece.map(() => makeRowVersion())
    yield* wait(connection.run(insertStatement(table, columns, piece, versions)))
    noteVersions(piece, versions)
  }
}

/** Records that may point to each other in a circle have to come in one statement. */
function givenPieces(table: BoundTable, records: readonly FieldValues[]): readonly (readonly FieldValues[])[] {
  const { model } = table
  const largest = largestPiece(table)
  const together = records.length <= largest && model.fields.some((field) => field.reference?.model() === model)
  return together ? [records] : piecesOf(records, largest)
}

interface InsertOptions {
  /** Hands out id and version of each row. */
  readonly returning?: boolean
  /** Of one row: nothing is kept to undo the statement alone. */
  readonly orFail?: boolean
  /** Columns that get the answer of an expression in the place of a value. */
  readonly computed?: Readonly<Record<string, Expression<unknown>>>
}

const nothing = {}

function insertStatement(
  table: BoundTable,
  columns: readonly string[],
  records: readonly FieldValues[],
  versions: readonly string[],
  { returning = false, orFail = false, computed = nothing }: InsertOptions = nothing,
): Statement {
  const { model, engine } = table
  const version = model.rowVersion.name
  const kind = computed === nothing ? `${returning} ${orFail}` : Object.keys(computed).join()
  const shape = table.shapes.get(`insert ${columns.length} ${records.length} ${kind}`, () => {
    let next = 0
    const place = (name: string): unknown => {
      const slot = new Slot(next++)
      return computed[name] ?? slot
    }
    const rows = records.map(() => Object.fromEntries(columns.map((name) => [name, place(name)])))
    const plain = engine.builder.insertInto(model.name).values(rows)
    const query = orFail ? plain.orFail() : plain
    return shapeOf((returning ? query.returning([model.id.name, version]) : query).compile())
  })
  const values: unknown[] = []
  const encoders = columns.map((name) => table.encoder(name))
  records.forEach((record, index) => {
    for (const [place, name] of columns.entries()) {
      const value = name === version ? versions[index] : (record[name] ?? null)
      const encode = encoders[place]
      values.push(encode && value !== null ? encode(value) : value)
    }
  })
  return bind(shape, values)
}

function noteVersions(records: readonly FieldValues[], versions: readonly string[]): void {
  records.forEach((record, index) => {
    const version = versions[index]
    if (version !== undefined) noteVersion(record, version)
  })
}

function largestPiece(table: BoundTable): number {
  return Math.max(1, Math.floor(table.engine.capabilities.maxParameters / table.model.fields.length))
}

/** Sets the same values in the rows of all these records. Answers how many there were. */
export function* updateRows(
  table: BoundTable,
  connection: Connection,
  context: CallerContext,
  records: readonly FieldValues[],
  changed: FieldValues,
): Task<number> {
  const names = [...Object.keys(changed), table.model.rowVersion.name]
  let count = 0
  const idName = table.model.id.name
  for (const piece of piecesOf(records, 256)) {
    const ids = piece.map((record) => record[idName])
    const condition = conditionOf(table, context, { filter: oneOf(idName, ids), includeDeleted: true })
    const { key, values } = describeFilter(condition, table.encode)
    const shape: Shape = table.shapes.get(`update ${names.join()} ${key}`, () =>
      shapeOf(
        table.engine.builder
          .updateTable(table.model.name)
          .set(Object.fromEntries(names.map((name, index) => [name, new Slot(index)])))
          .where((eb) => renderFilter(table, condition, eb, names.length))
          .compile(),
      ),
    )
    const version = makeRowVersion()
    const encoded = names.map((name) => (name === table.model.rowVersion.name ? version : table.encode(name, changed[name])))
    count += yield* wait(connection.run(bind(shape, [...encoded, ...values])))
    for (const record of piece) noteVersion(record, version)
  }
  return count
}

/** Removes the records with these ids for good. Answers how many there were. */
export function* deleteRows(table: BoundTable, connection: Connection, context: CallerContext, ids: readonly unknown[]): Task<number> {
  let count = 0
  for (const piece of piecesOf(ids, 256)) {
    const condition = conditionOf(table, context, { filter: oneOf(table.model.id.name, piece), includeDeleted: true })
    const { key, values } = describeFilter(condition, table.encode)
    const shape = table.shapes.get(`delete ${key}`, () =>
      shapeOf(
        table.engine.builder
          .deleteFrom(table.model.name)
          .where((eb) => renderFilter(table, condition, eb, 0))
          .compile(),
      ),
    )
    count += yield* wait(connection.run(bind(shape, values)))
  }
  return count
}
