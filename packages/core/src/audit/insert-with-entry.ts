import type { Connection } from '../engine/engine.ts'
import { ConstraintViolation } from '../engine/engine.ts'
import { makeRowVersion } from '../model/row-version.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { idsUsedUp, passedOver } from '../query/counted-id.ts'
import { noteVersion } from '../query/record-version.ts'
import { bind, type Shape, Slot, shapeOf } from '../query/shape.ts'
import { type Task, wait } from '../session/task.ts'
import type { ImageAroundId } from './image.ts'
import { hashedAround } from './payload.ts'

/** A record that is not stored yet, and the entry that tells of it. */
export interface NewRecord {
  readonly record: FieldValues
  /** Without a place in the log. */
  readonly entry: FieldValues
  /** Where the database counts the id: what its image is made of. */
  readonly around: ImageAroundId | undefined
}

/** The tables that a record and its entry go into. */
export interface InsertTables {
  readonly table: BoundTable
  readonly log: BoundTable
  readonly head: BoundTable
}

/** Columns of an entry that the database makes where it counts the id, in this order, of parameters of their own. */
const countedColumns: readonly string[] = ['record_id', 'after', 'payload_hash', 'salt']

/** Stays empty where the database has no id left that is a number here. */
const refused = 'transaction_id'

/** Inserts a record and its entry by one statement, the last of the unit. */
export function* insertWithEntry(tables: InsertTables, connection: Connection, { record, entry, around }: NewRecord): Task<void> {
  const { table, log } = tables
  const { model } = table
  const versioned = { ...entry, [log.model.rowVersion.name]: makeRowVersion() }
  const entryColumns = Object.keys(versioned).filter((name) => !around || !countedColumns.includes(name))
  const columns = model.fields.map((field) => field.name).filter((name) => !around || name !== model.id.name)
  const version = makeRowVersion()
  const values = [
    ...columns.map((name) => (name === model.rowVersion.name ? version : table.encode(name, record[name]))),
    ...entryColumns.map((name) => log.encode(name, versioned[name])),
    ...(around ? [...around, log.encode('salt', entry['salt'])] : []),
  ]
  const shape = table.shapes.get(`insert with entry ${around !== undefined}`, () => insertShape(tables, columns, entryColumns, around))
  try {
    const [rows] = (yield* wait(connection.conclude?.([bind(shape, values)]))) ?? []
    if (!rows?.[0]) throw passedOver(table)
    if (around) record[model.id.name] = Number(rows[0]['id'])
  } catch (error) {
    const isRefused = error instanceof ConstraintViolation && error.kind === 'notNull' && error.table === log.model.name
    if (isRefused && error.columns.includes(refused)) throw idsUsedUp(table)
    throw error
  }
  noteVersion(record, version)
}

function insertShape(
  { table, log, head }: InsertTables,
  columns: readonly string[],
  entryColumns: readonly string[],
  around: ImageAroundId | undefined,
): Shape {
  const { engine, model } = table
  const counted = {
    recordId: 'record_id',
    image: 'after',
    hash: 'payload_hash',
    hashed: hashedAround,
    salt: 'salt',
    refused,
    highest: Number.MAX_SAFE_INTEGER,
  }
  const sql = engine.insertWithEntry?.({
    table: model.name,
    idColumn: model.id.name,
    columns,
    log: log.model.name,
    entryColumns,
    stand: { table: head.model.name, column: 'epoch' },
    counted: around && counted,
  })
  if (sql === undefined) throw new Error('this engine inserts records and entries one after the other')
  const count = columns.length + entryColumns.length + (around ? 3 : 0)
  return shapeOf({ sql, parameters: Array.from({ length: count }, (_, index) => new Slot(index)) })
}
