import type { AccessOperation } from '../access/rule.ts'
import { isId } from '../model/record-id.ts'
import type { BoundTable, FieldValues } from '../query/bound-table.ts'
import { type MakeStatement, statementById } from '../query/by-id.ts'
import { equals, type Filter, oneOf } from '../query/filter.ts'
import { selectRows, withoutVersion } from '../query/rows.ts'
import { selectStatement } from '../query/select.ts'
import { piecesOf } from '../query/shape.ts'
import type { CallerContext } from '../session/context.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { requireOperation } from './permit.ts'

/** Which records a write is about. */
export interface LockOptions {
  readonly includeDeleted: boolean
  readonly limit?: number | undefined
  /** What the caller asks to do with them: those that it may not read are not there. What a write brings along is whole. */
  readonly asked?: AccessOperation
}

/** Reads the records that a write is about, and keeps others from changing them; always in the order of their ids. */
export function* lockRecords(
  bound: BoundAccessor,
  session: Session,
  filter: Filter,
  { includeDeleted, limit, asked }: LockOptions,
): Task<FieldValues[]> {
  const order = [{ field: bound.model.id.name, descending: false }]
  const options = { filter, includeDeleted, order, limit, lock: true, version: true }
  return yield* selectRows(bound.table, session.connection, contextOf(bound, session, asked), options)
}

function contextOf(bound: BoundAccessor, { context }: Session, asked: AccessOperation | undefined): CallerContext {
  if (!asked) return context
  requireOperation(bound, context, asked)
  return { ...context, asked: true }
}

/** The record with this id, or undefined; an id of the wrong shape is simply not found. Where nobody else can write meanwhile it is read as `get` reads it. */
export function* lockRecord(bound: BoundAccessor, session: Session, id: unknown, options: LockOptions): Task<FieldValues | undefined> {
  if (!isId(bound.model, id)) return undefined
  const known = bound.model.id.normalise(id)
  const { connection, context } = session
  if (options.asked && !options.includeDeleted && connection.first) {
    requireOperation(bound, context, options.asked)
    const row = connection.first(statementById(bound.table, bound.table.recordColumns, known, context, wholeOf(bound.table)))
    return row && withoutVersion(bound.table, row)
  }
  const filter = equals(bound.model.id.name, known)
  const rows = yield* selectRows(bound.table, session.connection, contextOf(bound, session, options.asked), {
    filter,
    includeDeleted: options.includeDeleted,
    order: [],
    lock: true,
    version: true,
  })
  return rows[0]
}

const wholeOf =
  (table: BoundTable): MakeStatement =>
  (context, options) =>
    selectStatement(table, context, { ...options, version: true })

/** The records with these ids. */
export function* lockRecordsById(
  bound: BoundAccessor,
  session: Session,
  ids: readonly unknown[],
  options: LockOptions,
): Task<FieldValues[]> {
  const { id } = bound.model
  const known = [...new Set(ids.filter((value) => isId(bound.model, value)).map((value) => id.normalise(value)))]
  const records: FieldValues[] = []
  for (const piece of piecesOf(known, 256)) records.push(...(yield* lockRecords(bound, session, oneOf(id.name, piece), options)))
  return records
}
