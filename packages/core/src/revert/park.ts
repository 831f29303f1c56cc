import { randomBytes, randomInt } from 'node:crypto'
import type { BoundAccessor } from '../accessor/bound-accessor.ts'
import { lockRecordsById } from '../accessor/lock.ts'
import type { Field } from '../model/model.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { updateRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { RevertStep } from './plan.ts'

/** Whether the record can be without its unique values for a moment. */
export function canPark({ bound }: RevertStep): boolean {
  return bound.model.unique.every((key) => parkedField(bound, key) !== undefined)
}

/** Takes unique values from records that get others in the same unit. No entry tells of it: nobody has seen the rows without. */
export function* parkRecords(session: Session, steps: readonly RevertStep[]): Task<void> {
  for (const step of steps) {
    const { bound, id } = step
    const [row] = yield* lockRecordsById(bound, session, [id], { includeDeleted: true })
    if (!row) continue
    step.parked = { ...row }
    const values: FieldValues = {}
    for (const key of bound.model.unique) {
      const field = parkedField(bound, key)
      if (field && (row[field.name] ?? null) !== null) values[field.name] = placeholder(field)
    }
    if (Object.keys(values).length > 0) yield* updateRows(bound.table, session.connection, session.context, [row], values)
  }
}

/** Gives a record back what was taken from it and has not been changed. */
export function* unparkRecord(session: Session, { bound, parked }: RevertStep, content: FieldValues): Task<void> {
  if (!parked) return
  const values = Object.fromEntries(Object.entries(parkedValues(bound, parked)).filter(([name]) => !Object.hasOwn(content, name)))
  if (Object.keys(values).length > 0) yield* updateRows(bound.table, session.connection, session.context, [{ ...parked }], values)
}

/** What a record had in the place of what is there for a moment. */
export function parkedValues(bound: BoundAccessor, parked: FieldValues): FieldValues {
  const fields = bound.model.unique.flatMap((key) => parkedField(bound, key) ?? [])
  return Object.fromEntries(fields.map(({ name }) => [name, parked[name]]))
}

/** The field of a key that can hold something else for a moment. */
function parkedField({ model }: BoundAccessor, key: readonly string[]): Field | undefined {
  const fields = key.flatMap((name) => {
    const field = model.fieldsByName.get(name)
    return field && field !== model.tenant && field.role === 'data' ? [field] : []
  })
  return fields.find(({ nullable }) => nullable) ?? fields.find(isFree)
}

/** Whether the database takes any value of its kind there. */
function isFree({ kind, values, reference }: Field): boolean {
  return values === undefined && !reference && (kind === 'text' || kind === 'integer' || kind === 'int64')
}

function placeholder({ nullable, kind }: Field): unknown {
  if (nullable) return null
  if (kind === 'text') return randomBytes(32).toString('hex')
  const number = -randomInt(2 ** 47)
  return kind === 'int64' ? BigInt(number) : number
}
