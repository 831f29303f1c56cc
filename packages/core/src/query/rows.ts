import type { Connection, LastStatement, StoredRow } from '../engine/engine.ts'
import { makeRowVersion } from '../model/row-version.ts'
import type { CallerContext } from '../session/context.ts'
import { type Task, wait } from '../session/task.ts'
import type { BoundTable, FieldValues } from './bound-table.ts'
import { describeFilter, renderFilter } from './condition.ts'
import { copyRecords } from './copy-records.ts'
import { countedId, passedOver } from './counted-id.ts'
import { countedInsert } from './counted-insert.ts'
import { oneOf } from './filter.ts'
import { targetsFirst } from './insert-order.ts'
import { type InsertOptions, insertPieces } from './insert-pieces.ts'
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
export function withoutVersion(table: BoundTable, row: StoredRow): FieldValues {
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
  const idName = table.model.id.name
  if (connection.insertedId) {
    // Answers that are there at once cost half of rows that come back with their ids (measured).
    insertNumbered(table, connection, records, (record, id, version) => {
      record[idName] = countedId(table, id)
      noteVersion(record, version)
    })
    return
  }
  if (yield* copyRecords(table, connection, records, { ids: 'counted' })) return
  const columns = table.model.fields.map((field) => field.name).filter((name) => name !== idName)
  for (const { records: piece, versions, statement } of insertPieces(table, columns, records, { returning: true })) {
    const rows = yield* wait(connection.all(statement))
    if (rows.length < piece.length) throw passedOver(table)
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
  if (yield* copyRecords(table, connection, records, { ids: counted ? 'unheard' : 'given', computed })) return
  const columns = table.model.fields.map((field) => field.name).filter((name) => !(counted && name === idName))
  for (const { statement } of insertPieces(table, columns, records, computed && { computed })) yield* wait(connection.run(statement))
}

/**
 * Inserts records whose ids are the next ones that the database counts, by that: an id that is said would cost copies of every page that the
 * statement changes, where the table has triggers. Answers whether the records got these ids.
 */
export function* appendNext(table: BoundTable, connection: Connection, records: readonly FieldValues[]): Task<boolean> {
  if (!connection.insertedId) {
    yield* appendRows(table, connection, records)
    return true
  }
  const idName = table.model.id.name
  let asWanted = true
  insertNumbered(
    table,
    connection,
    records,
    (record, id) => {
      asWanted &&= Number(id) === record[idName]
    },
    'orFail',
  )
  return asWanted
}

/**
 * Records that one statement inserts where the database counts their ids at once: four save a sixth of what a record and its entry cost by themselves, and
 * more save no more (measured).
 */
const mostTogether = 16

/** Is told which id the database gave a record, or undefined where it did not store it. */
type Numbered = (record: FieldValues, id: number | bigint | undefined, version: string) => void

/** Inserts records, several by one statement where the database gives these one id after the other. */
function insertNumbered(table: BoundTable, connection: Connection, records: readonly FieldValues[], tell: Numbered, mode?: 'orFail'): void {
  const byOne = (record: FieldValues): void => {
    const version = makeRowVersion()
    tell(record, connection.insertedId?.(countedInsert(table, [record], [version], mode)), version)
  }
  if (records.length === 1 || !connection.firstInsertedId) {
    records.forEach(byOne)
    return
  }
  for (const piece of piecesOf(records, mostTogether)) {
    const versions = piece.map(makeRowVersion)
    const first = connection.firstInsertedId(countedInsert(table, piece, versions, mode))
    if (first === undefined) piece.forEach(byOne)
    else for (const [index, record] of piece.entries()) tell(record, first + index, versions[index] ?? '')
  }
}

function* insertGiven(table: BoundTable, connection: Connection, records: readonly FieldValues[]): Task<void> {
  const columns = table.model.fields.map((field) => field.name)
  const together = table.model.fields.some((field) => field.reference?.model() === table.model)
  if (!together && (yield* copyRecords(table, connection, records, { ids: 'given' }))) return
  for (const { records: piece, versions, statement } of insertPieces(table, columns, records, { together })) {
    const stored = yield* wait(connection.run(statement))
    if (stored < piece.length) throw passedOver(table)
    noteVersions(piece, versions)
  }
}

function noteVersions(records: readonly FieldValues[], versions: readonly string[]): void {
  records.forEach((record, index) => {
    const version = versions[index]
    if (version !== undefined) noteVersion(record, version)
  })
}

/** Whose rows are changed or removed. */
interface ChangeOptions {
  /** They are there, and locked: where one stays as it was, all is refused. */
  readonly expected?: boolean
}

/** Sets the same values in the rows of all these records. Answers how many there were. */
export function* updateRows(
  table: BoundTable,
  connection: Connection,
  context: CallerContext,
  records: readonly FieldValues[],
  changed: FieldValues,
  { expected = false }: ChangeOptions = {},
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
    const statement: LastStatement = bind(shape, [...encoded, ...values])
    const stored = yield* wait(connection.run(expected ? { ...statement, changes: piece.length } : statement))
    if (expected && stored < piece.length) throw passedOver(table)
    count += stored
    for (const record of piece) noteVersion(record, version)
  }
  return count
}

/** Removes the records with these ids for good. Answers how many there were. */
export function* deleteRows(
  table: BoundTable,
  connection: Connection,
  context: CallerContext | undefined,
  ids: readonly unknown[],
  { expected = false }: ChangeOptions = {},
): Task<number> {
  let count = 0
  for (const piece of piecesOf(ids, 256)) {
    const filter = oneOf(table.model.id.name, piece)
    const condition = conditionOf(table, context, { filter, includeDeleted: true })
    const { key, values } = describeFilter(condition, table.encode)
    const shape = table.shapes.get(`delete ${key}`, () =>
      shapeOf(
        table.engine.builder
          .deleteFrom(table.model.name)
          .where((eb) => renderFilter(table, condition, eb, 0))
          .compile(),
      ),
    )
    const statement: LastStatement = bind(shape, values)
    const removed = yield* wait(connection.run(expected ? { ...statement, changes: piece.length } : statement))
    // A trigger may as well have removed some before their turn came.
    if (expected && removed < piece.length && (yield* countRows(table, connection, context, { filter, includeDeleted: true })) > 0)
      throw passedOver(table)
    count += removed
  }
  return count
}
