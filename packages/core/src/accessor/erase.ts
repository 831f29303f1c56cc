import { type ErasedRecords, erasePayloads, rememberErasures } from '../audit/erasures.ts'
import type { AuditSubject } from '../audit/record-change.ts'
import type { Connection } from '../engine/engine.ts'
import { isId } from '../model/record-id.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, everything } from '../query/filter.ts'
import { selectRows } from '../query/rows.ts'
import type { UnitContext } from '../session/context.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor } from './bound-accessor.ts'
import { deleteTogether } from './delete.ts'
import { groupsOf } from './doomed.ts'
import { type Conditions, lockExpected } from './match.ts'
import { entriesOf } from './past/past-images.ts'
import { idsThere } from './past/read-past.ts'
import { requireOperation, rulesFor } from './permit.ts'

/** What an erasure needs of an accessor. */
interface Erasing extends Pick<BoundAccessor, 'component' | 'audit' | 'erasures'> {
  readonly subject: Pick<AuditSubject, 'component' | 'schemaVersion'>
  readonly moments: Pick<BoundAccessor['moments'], 'log'>
}

/** What an erasure asks of a record. `again`: it was erased before, and has come back. */
export interface ErasureConditions extends Conditions {
  readonly again?: boolean
}

/**
 * The order of an erasure: the record and those that go with it are removed like by a purge, hooks and entries included; then an `erase` entry
 * for each, and the images go out of all their entries, the ones just written among them. False where nothing is there to erase.
 */
export function* eraseRecord(
  bound: BoundAccessor,
  session: Session,
  id: unknown,
  { again = false, ...conditions }: ErasureConditions,
): Task<boolean> {
  const { connection, context } = session
  const found = yield* lockExpected(bound, session, id, { ...conditions, includeDeleted: true, asked: 'purge' })
  if (found.length === 0) return yield* eraseHistory(bound, session, id, again)
  const doomed = yield* deleteTogether(session, [{ bound, found, mode: 'hard' }])
  for (const group of groupsOf(doomed.all())) {
    const [first] = group
    if (first)
      yield* writeErasure(
        first.bound,
        connection,
        context,
        group.map(({ previous }) => subjectOf(first.bound, previous, context)),
        again,
      )
  }
  return true
}

interface Erased {
  readonly recordId: string
  readonly tenant: string | null
}

function subjectOf({ model }: BoundAccessor, record: FieldValues, context: UnitContext): Erased {
  return { recordId: String(record[model.id.name]), tenant: model.tenant ? String(record[model.tenant.name]) : context.tenant }
}

/** A record that is gone already has left its history. Who is held to rules cannot show that it might have erased it. */
function* eraseHistory(bound: BoundAccessor, session: Session, id: unknown, again: boolean): Task<boolean> {
  const { connection, context } = session
  requireOperation(bound, context, 'purge')
  if (!isId(bound.model, id)) return false
  const rules = rulesFor(bound, context)
  const isOpen = !rules || (['read', 'purge'] as const).every((asked) => rules.access.decide(asked, rules.asker).filter === everything)
  const known = bound.model.id.normalise(id)
  if (!isOpen || (yield* idsThere(bound, connection.heldTo('every'), undefined, [known])).size > 0) return false
  const own = context.tenant === null ? everything : equals('tenant', context.tenant)
  const options = { includeDeleted: true, order: [{ field: 'id', descending: true }], limit: 1, columns: ['id', 'tenant'] }
  const withPayload = { type: 'null', field: 'salt', negated: true } as const
  const notErase = { type: 'compare', field: 'operation', comparison: 'ne', value: 'erase' } as const
  const filter = allOf(entriesOf(bound, known), own, withPayload, notErase)
  const [last] = yield* selectRows(bound.moments.log, connection.heldTo('every'), undefined, { ...options, filter })
  if (!last) return false
  // The log has text there, or null.
  yield* writeErasure(bound, connection, context, [{ recordId: String(known), tenant: last['tenant'] as string | null }], again)
  return true
}

/** Writes the `erase` entries, takes the images away, and remembers the names. */
export function* writeErasure(
  erasing: Erasing,
  connection: Connection,
  context: UnitContext,
  records: readonly Erased[],
  again: boolean,
): Task<void> {
  const { component, subject, audit, moments, erasures } = erasing
  yield* audit.recordErasures(connection, context, subject, records)
  const whole = connection.heldTo('every')
  const erased: ErasedRecords = { component, recordIds: records.map(({ recordId }) => recordId) }
  yield* erasePayloads(moments.log, whole, erased)
  yield* rememberErasures({ log: moments.log, erasures }, whole, erased, again)
}
