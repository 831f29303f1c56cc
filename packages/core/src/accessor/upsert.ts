import { UsageError, ValidationError } from '../errors.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, type Filter } from '../query/filter.ts'
import { tenantValue } from '../query/scope.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import { copyInput, refuseOwnedFields } from './accept.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { insertRecords } from './insert.ts'
import { lockRecords } from './lock.ts'
import { refuseLockedFields, unseenFields } from './permit.ts'
import { lookAgainAfterRace } from './race.ts'
import { updateAsked } from './update.ts'

/** Inserts the records whose `key` fields nobody has yet, and changes the given fields of the live records that have them. */
export function* upsertRecords(
  bound: BoundAccessor,
  session: Session,
  inputs: readonly unknown[],
  key: readonly string[],
): Task<FieldValues[]> {
  const on = wholeKey(bound, key)
  const given = inputs.map((input) => withTenant(bound, session, on, copyInput(input)))
  const keys = given.map((record, index) => keyOf(bound, on, record, given.length > 1 ? `${index}.` : ''))
  refuseRepeats(keys, on)
  return yield* lookAgainAfterRace(bound, session, on, () => upsertOnce(bound, session, given, keys, on))
}

function* upsertOnce(
  bound: BoundAccessor,
  session: Session,
  given: readonly FieldValues[],
  keys: readonly string[],
  on: readonly string[],
): Task<FieldValues[]> {
  const existing = yield* findExisting(bound, session, given, on)
  const updates = given.map((record, index) => {
    const previous = existing.get(keys[index] ?? '')
    if (!previous) return undefined
    refuseLockedFields(bound, session.context, record, previous)
    refuseOwnedFields(bound, record, previous)
    return { previous, record: { ...previous, ...record }, unseen: unseenFields(bound, session.context, record) }
  })
  yield* updateAsked(
    bound,
    session,
    updates.filter((update) => update !== undefined),
  )
  const fresh = given.filter((_record, index) => !updates[index])
  const inserted = (yield* insertRecords(bound, session, fresh)).values()
  return updates.map((update) => update?.record ?? inserted.next().value ?? {})
}

/** The fields of a key. That of the tenant need not be named: within a tenant every key is one without it. */
function wholeKey(bound: BoundAccessor, on: readonly string[]): readonly string[] {
  const { model } = bound
  const keys = [[model.id.name], ...model.unique]
  const isMeant = (fields: readonly string[], named: readonly string[]): boolean => [...fields].sort().join() === [...named].sort().join()
  const tenant = model.tenant?.name
  const named = [on, ...(tenant === undefined || on.includes(tenant) ? [] : [[tenant, ...on]])]
  const found = named.find((candidate) => keys.some((fields) => isMeant(fields, candidate)))
  if (found) return found
  const known = keys.map((fields) => `[${fields.join(', ')}]`).join(', ')
  throw new UsageError('invalid_options', `upsertMany of ${bound.component} takes an "on" that names the id or a unique key: ${known}.`)
}

/** The tenant is the caller's, where a record does not say it. */
function withTenant({ model }: BoundAccessor, { context }: Session, on: readonly string[], record: FieldValues): FieldValues {
  const field = model.tenant
  if (!field || context.tenant === null || !on.includes(field.name) || record[field.name] !== undefined) return record
  return { ...record, [field.name]: tenantValue(field, context.tenant) }
}

/** The values of the key as they are stored, in one text. */
function keyOf(bound: BoundAccessor, on: readonly string[], record: FieldValues, prefix: string): string {
  const parts = on.map((name) => {
    const value = normalised(bound, name, record[name], prefix)
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
    return value instanceof Date ? value.toISOString() : String(value)
  })
  return JSON.stringify(parts)
}

function normalised(bound: BoundAccessor, name: string, value: unknown, prefix: string): unknown {
  const field = bound.model.fieldsByName.get(name)
  const problem = value === undefined || value === null ? 'is needed to find the record' : field?.check(value)
  if (problem !== undefined) throw new ValidationError([{ path: `${prefix}${name}`, message: problem }])
  return field?.normalise(value)
}

function refuseRepeats(keys: readonly string[], on: readonly string[]): void {
  const seen = new Set<string>()
  keys.forEach((key, index) => {
    if (seen.has(key)) throw new ValidationError([{ path: `${index}.${on.join()}`, message: 'stands twice in the list' }])
    seen.add(key)
  })
}

/** So many keys are looked up by one statement. */
const lookupSize = 64

function* findExisting(
  bound: BoundAccessor,
  session: Session,
  given: readonly FieldValues[],
  on: readonly string[],
): Task<Map<string, FieldValues>> {
  const existing = new Map<string, FieldValues>()
  for (let start = 0; start < given.length; start += lookupSize) {
    const parts = given
      .slice(start, start + lookupSize)
      .map((record): Filter => allOf(...on.map((name) => equals(name, normalised(bound, name, record[name], '')))))
    for (const record of yield* lockRecords(bound, session, { type: 'or', parts }, { includeDeleted: false, asked: 'read' }))
      existing.set(keyOf(bound, on, record, ''), record)
  }
  return existing
}
