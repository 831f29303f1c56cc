import { ConflictError } from '../errors.ts'
import { runHooks } from '../hooks/run.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, type Filter, nothing, oneOf } from '../query/filter.ts'
import { countRows } from '../query/rows.ts'
import { tenantValue } from '../query/scope.ts'
import { piecesOf } from '../query/shape.ts'
import { reachOf } from '../session/reach.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'
import { type DeletedGroup, type DeleteMode, Doomed, type DoomedRecord, operationOf } from './doomed.ts'
import { lockRecords } from './lock.ts'
import { isHeld } from './permit.ts'
import { type RecordUpdate, updateRecords } from './update.ts'

/*
 * The database knows the references as NO ACTION only: a cascade inside it would change records that no entry tells of.
 */

/** Gathers the records and, by cascades, those that go with them; calls the beforeDelete hooks of each. */
export function* gatherDoomed(session: Session, groups: readonly DeletedGroup[]): Task<Doomed> {
  const doomed = new Doomed()
  for (const { bound, found, mode, taken, alone = false } of groups) {
    if (alone) yield* gatherAlone(doomed, bound, session, found)
    else yield* gather(doomed, bound, session, found, mode)
    for (const record of taken ? found : []) {
      const known = doomed.get(bound, record)
      if (known) known.taken = taken?.get(record[bound.model.id.name])
    }
  }
  return doomed
}

function* gather(doomed: Doomed, bound: BoundAccessor, session: Session, found: readonly FieldValues[], mode: DeleteMode): Task<void> {
  const added = doomed.add(bound, found, mode)
  if (added.length === 0) return
  yield* runHooks(bound.units, bound.hooks, 'beforeDelete', session, operationOf(bound, mode), added)
  const records = added.map(({ previous }) => previous)
  for (const link of linksWith(bound, 'cascade')) {
    const children = yield* pointingTo(link, session, records, mode === 'hard')
    yield* gather(doomed, link.source, session, children, mode === 'soft' && link.source.model.deletedAt ? 'soft' : 'hard')
  }
}

function* gatherAlone(doomed: Doomed, bound: BoundAccessor, session: Session, found: readonly FieldValues[]): Task<void> {
  const added = doomed.add(bound, found, 'soft')
  for (const record of added) record.alone = true
  yield* runHooks(bound.units, bound.hooks, 'beforeDelete', session, operationOf(bound, 'soft'), added)
}

/** Refuses the delete when a record that stays restricts it. A deleted one only keeps rows: those that go for good. */
export function* refuseRestricted(doomed: Doomed, session: Session): Task<void> {
  for (const group of doomed.groups()) {
    const { bound, mode } = firstOf(group)
    for (const link of linksWith(bound, 'restrict')) {
      const children = yield* pointingTo(link, session, previousOf(group), mode === 'hard')
      const staying = children.filter((child) => !goesWith(mode, doomed.get(link.source, child)))
      if (staying.length > 0) throw restricted(link, staying, isHeld(link.source, { ...session.context, asked: true }))
      if (mode === 'soft' && (yield* othersPointTo(link, session, previousOf(group)))) throw restricted(link, [], true)
    }
  }
}

/** Whether records of tenants that are none of the caller's point to these, which all tenants share. Of a row that goes the database knows it. */
function* othersPointTo({ source, field, target }: Link, session: Session, records: readonly FieldValues[]): Task<boolean> {
  const reach = reachOf(session.context)
  const { tenant } = source.model
  if (!tenant || target.model.tenant || reach === 'every') return false
  const own: Filter = reach === 'none' ? nothing : equals(tenant.name, tenantValue(tenant, reach.tenant))
  const ids = records.map((record) => record[target.model.id.name])
  for (const piece of piecesOf(ids, 256)) {
    const filter = allOf(oneOf(field.name, piece), { type: 'not', part: own })
    const selection = { filter, includeDeleted: false }
    if ((yield* countRows(source.table, session.connection.heldTo('every'), undefined, selection, 1)) > 0) return true
  }
  return false
}

/** Empties the references of the records that stay, each with its own hooks and one audit entry. */
export function* emptyReferences(doomed: Doomed, session: Session): Task<void> {
  const updates = new Map<BoundAccessor, Map<unknown, RecordUpdate>>()
  for (const group of doomed.groups()) {
    const { bound, mode } = firstOf(group)
    for (const link of linksWith(bound, 'setNull')) {
      for (const child of yield* pointingTo(link, session, previousOf(group), mode === 'hard')) {
        const known = doomed.get(link.source, child)
        if (goesWith(mode, known)) continue
        if (known) known.emptied.add(link.field.name)
        else noteEmptied(updates, link, child)
      }
    }
  }
  for (const [source, byId] of updates) yield* updateRecords(source, session, [...byId.values()])
}

function noteEmptied(updates: Map<BoundAccessor, Map<unknown, RecordUpdate>>, { source, field }: Link, child: FieldValues): void {
  const ofSource = updates.get(source) ?? new Map<unknown, RecordUpdate>()
  updates.set(source, ofSource)
  const id = child[source.model.id.name]
  const update = ofSource.get(id) ?? { previous: child, record: { ...child } }
  ofSource.set(id, update)
  update.record[field.name] = null
}

/** A record that is only marked still has its row, which keeps the row that it points to. */
function goesWith(mode: DeleteMode, child: DoomedRecord | undefined): boolean {
  return child !== undefined && (mode === 'soft' || child.mode === 'hard')
}

function linksWith(bound: BoundAccessor, onDelete: 'restrict' | 'cascade' | 'setNull'): Link[] {
  return bound.referrers.filter((link) => (link.field.reference?.onDelete ?? 'restrict') === onDelete)
}

function* pointingTo(link: Link, session: Session, records: readonly FieldValues[], includeDeleted: boolean): Task<FieldValues[]> {
  const ids = records.map((record) => record[link.target.model.id.name])
  const children: FieldValues[] = []
  for (const piece of piecesOf(ids, 256)) {
    const found = yield* lockRecords(link.source, session, oneOf(link.field.name, piece), { includeDeleted })
    // Not all at once as arguments: the stack has room for some ten thousands.
    for (const child of found) children.push(child)
  }
  return children
}

function previousOf(group: readonly DoomedRecord[]): FieldValues[] {
  return group.filter(({ alone }) => alone !== true).map(({ previous }) => previous)
}

function firstOf(group: readonly DoomedRecord[]): DoomedRecord {
  // Groups are never empty.
  return group[0] as DoomedRecord
}

/** @param held whether some of them may not be there for the caller, who does not hear how many there are then */
function restricted(link: Link, staying: readonly FieldValues[], held: boolean): ConflictError {
  if (held) {
    const sentence = `${link.target.component} cannot be deleted while records of ${link.source.component} point to it by ${link.field.name}.`
    return new ConflictError('reference_conflict', sentence, [link.field.name])
  }
  const { deletedAt } = link.source.model
  const count = staying.length
  const live = deletedAt === undefined || staying.some((record) => record[deletedAt.name] === null)
  const who = `${count} ${live ? '' : 'deleted '}record${count === 1 ? '' : 's'} of ${link.source.component}`
  const remedy = live ? 'Delete or change those first.' : 'Purge those first.'
  const message = `${link.target.component} cannot be deleted while ${who} point${count === 1 ? 's' : ''} to it by ${link.field.name}. ${remedy}`
  return new ConflictError('reference_conflict', message, [link.field.name])
}
