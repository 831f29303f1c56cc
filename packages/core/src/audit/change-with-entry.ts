import type { Connection } from '../engine/engine.ts'
import type { EntryChange } from '../engine/entry-change.ts'
import { makeRowVersion } from '../model/row-version.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { Filter } from '../query/filter.ts'
import { selectStatement } from '../query/select.ts'
import { bind, type Shape, Slot, shapeOf } from '../query/shape.ts'
import type { CallerContext } from '../session/context.ts'
import { type Task, wait } from '../session/task.ts'
import type { AuditOperation } from './audit-log.ts'
import { mark, membersOf, valueText } from './image.ts'
import type { InsertTables } from './insert-with-entry.ts'
import { hashedPieces } from './payload.ts'

/** What becomes of one record, whatever it is like now. */
export interface LoneChange {
  readonly id: unknown
  readonly operation: AuditOperation
  /** Which record, and what it must be like. */
  readonly filter: Filter
  readonly includeDeleted: boolean
  /** The fields that get a value, with the record's new version; undefined where the record goes. */
  readonly values: FieldValues | undefined
  /** Which of these values must be new, at least one, for anything to be changed. */
  readonly compared: readonly string[]
  /** Fields that must have this value, in the form that is stored. */
  readonly kept: FieldValues
}

/** Columns of an entry that the database makes. */
const madeColumns: readonly string[] = ['before', 'after', 'payload_hash', 'salt']

/** Changes a record and tells of it by one statement, the only one of the unit. Answers the fields that got no value; undefined where nothing was done. */
export function* changeWithEntry(
  tables: InsertTables,
  connection: Connection,
  context: CallerContext,
  entry: FieldValues,
  change: LoneChange,
): Task<FieldValues | undefined> {
  const { table, log } = tables
  const { filter, includeDeleted, compared, kept } = change
  const values = change.values ?? {}
  const locked = selectStatement(table, context, { filter, includeDeleted, order: [], lock: true })
  const written = { ...entry, [log.model.rowVersion.name]: makeRowVersion() }
  const names = {
    set: Object.keys(values),
    spelt: Object.keys(values).filter((name) => name !== table.model.rowVersion.name),
    compared,
    kept: Object.keys(kept),
    // A record's own tenant is read from the record.
    entry: Object.keys(written).filter((name) => !madeColumns.includes(name) && !(name === 'tenant' && table.model.tenant)),
  }
  const goes = change.values === undefined
  const shape = table.shapes.get(`change ${goes}|${names.set.join()}|${compared.join()}|${names.kept.join()}|${locked.sql}`, () =>
    changeShape(tables, locked, goes, names),
  )
  const textOf = (name: string, value: unknown): unknown => {
    const field = table.model.fieldsByName.get(name)
    return field && valueText(field, value)
  }
  const parameters = [
    ...locked.parameters,
    ...names.set.map((name) => table.encode(name, values[name])),
    ...names.spelt.map((name) => textOf(name, values[name])),
    ...names.kept.map((name) => textOf(name, kept[name])),
    ...names.entry.map((name) => log.encode(name, written[name])),
    log.encode('salt', entry['salt']),
  ]
  const [row] = yield* wait(connection.concludeAlone?.(bind(shape, parameters)) ?? [])
  return row && table.decode(row)
}

/** Columns by what they are in the statement. */
interface ChangeNames extends Pick<EntryChange, 'spelt' | 'compared' | 'kept'> {
  readonly set: readonly string[]
  readonly entry: readonly string[]
}

function changeShape(
  { table, log, head }: InsertTables,
  locked: { readonly sql: string; readonly parameters: readonly unknown[] },
  goes: boolean,
  { set, spelt, compared, kept, entry }: ChangeNames,
): Shape {
  const { engine, model, recordColumns } = table
  const sql = engine.entryChanges?.statement({
    table: model.name,
    idColumn: model.id.name,
    locked: { sql: locked.sql, parameters: locked.parameters.length },
    image: membersOf(model).map(({ field, prefix }) => ({ name: field.name, field, prefix, mask: field.secret ? mark : undefined })),
    set: goes ? undefined : set,
    spelt,
    compared,
    kept,
    answered: goes ? [...recordColumns, model.rowVersion.name] : recordColumns.filter((name) => !set.includes(name)),
    log: log.model.name,
    entryColumns: entry,
    made: {
      before: 'before',
      after: 'after',
      salt: 'salt',
      hash: 'payload_hash',
      hashed: hashedPieces,
      tenant: model.tenant && { column: 'tenant', field: model.tenant.name },
    },
    stand: { table: head.model.name, column: 'epoch' },
  })
  if (sql === undefined) throw new Error('this engine changes records and tells of them one after the other')
  const count = locked.parameters.length + set.length + spelt.length + kept.length + entry.length + 1
  return shapeOf({ sql, parameters: Array.from({ length: count }, (_, index) => new Slot(index)) })
}
