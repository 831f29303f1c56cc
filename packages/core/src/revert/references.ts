import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundAccessor, Link } from '../accessor/bound-accessor.ts'
import { lockRecords } from '../accessor/lock.ts'
import { existingIds } from '../accessor/violation.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, type Filter, oneOf } from '../query/filter.ts'
import { selectRows } from '../query/rows.ts'
import { piecesOf } from '../query/shape.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import { nobody, wholeLog } from './examine.ts'
import { isRemoved, type RevertPlan, type RevertStep } from './plan.ts'

/** Finds what the steps need of each other, since records point to records. */
export function* needByReferences(plan: RevertPlan, session: Session): Task<void> {
  for (const [bound, steps] of plan.steps) {
    const made = [...steps.values()].filter(({ target }) => target !== undefined)
    for (const link of bound.references)
      for (const piece of piecesOf(made, 256)) {
        yield* needTargets(plan, session, link, piece)
        yield* wait(nextTurn())
      }
  }
  yield* needPointers(plan, session)
}

/** A record that is made points to what is there, or is made before it. */
function* needTargets(plan: RevertPlan, session: Session, link: Link, steps: readonly RevertStep[]): Task<void> {
  const { field, target, source } = link
  const wanted = new Map<unknown, RevertStep[]>()
  for (const step of steps) {
    const value = step.target?.[field.name] ?? null
    if (value === null || !plan.has(step) || (target === source && value === step.id)) continue
    const other = plan.find(target, value)
    if (!other) wanted.set(value, [...(wanted.get(value) ?? []), step])
    // What is changed or restored has its row already.
    else if (other.kind === 'create' || other.kind === 'restore')
      step.needs.push({ step: other, reason: 'missing_target', isFirst: other.kind === 'create' })
    // Who points to it already waits for nothing: what goes looks for those that point to it.
    else if (isRemoved(other) && !other.isMarked && step.kind === 'create') plan.refuse(source, step.id, 'missing_target')
  }
  if (wanted.size === 0) return
  // What the caller may not read is not there for it.
  const present = yield* existingIds(target.table, session, [...wanted.keys()], { ...session.context, asked: true })
  for (const [id, others] of wanted) if (!present.has(id)) for (const step of others) plan.refuse(source, step.id, 'missing_target')
}

/** A record that goes is pointed to by nothing, or by what goes or turns away before it. */
function* needPointers(plan: RevertPlan, session: Session): Task<void> {
  let leaving = [...plan.all()].filter(isRemoved)
  while (leaving.length > 0) {
    const further = new Set<RevertStep>()
    for (const [bound, steps] of Map.groupBy(leaving, (step) => step.bound))
      for (const link of bound.referrers)
        for (const piece of piecesOf(steps, 256)) {
          yield* needPointersOf(plan, session, link, piece, further)
          yield* wait(nextTurn())
        }
    leaving = [...further]
  }
}

function* needPointersOf(
  plan: RevertPlan,
  session: Session,
  link: Link,
  steps: readonly RevertStep[],
  further: Set<RevertStep>,
): Task<void> {
  const { field, source } = link
  const strangers = new Map<unknown, RevertStep>()
  const byId = new Map(steps.filter((step) => plan.has(step)).map((step) => [step.id, step]))
  const filter = oneOf(field.name, [...byId.keys()])
  for (const row of yield* lockRecords(source, session, filter, { includeDeleted: true })) {
    const step = byId.get(row[field.name])
    if (!step || !plan.has(step)) continue
    if (step.kind === 'soft' && step.isMarked) {
      const { id, deletedAt } = source.model
      const isLive = deletedAt === undefined || (row[deletedAt.name] ?? null) === null
      if (isLive && !plan.find(source, row[id.name])) strangers.set(row[id.name], step)
      continue
    }
    const pointer = pointerOf(plan, source, row, step, further)
    if (pointer === 'none' || pointer === step) continue
    if (pointer && turnsAway(pointer, link, step)) step.needs.push({ step: pointer, reason: 'still_referenced', isFirst: true })
    else plan.refuse(step.bound, step.id, 'still_referenced')
  }
  if (strangers.size > 0) yield* refuseNewPointers(plan, session, source, strangers)
}

/** A record that was deleted before may be pointed to by those that did so then: by nobody who was written since. */
function* refuseNewPointers(
  plan: RevertPlan,
  session: Session,
  source: BoundAccessor,
  pointers: ReadonlyMap<unknown, RevertStep>,
): Task<void> {
  const { log } = source.moments
  const since = Math.min(...[...pointers.values()].map(({ entryId }) => entryId))
  for (const piece of piecesOf([...pointers], 256)) {
    const records = oneOf(
      'record_id',
      piece.map(([id]) => String(id)),
    )
    const later: Filter = { type: 'compare', field: 'id', comparison: 'gt', value: since }
    const filter = allOf(equals('component', source.component), records, later)
    const options = { filter, includeDeleted: true, order: [], columns: ['record_id'] }
    const written = new Set((yield* selectRows(log, wholeLog(session), nobody, options)).map((entry) => entry['record_id']))
    for (const [id, step] of piece) if (written.has(String(id)) && plan.has(step)) plan.refuse(step.bound, step.id, 'still_referenced')
  }
}

/** The step of a record that points to one that goes; `none` where it does not matter, since both are only marked. */
function pointerOf(
  plan: RevertPlan,
  source: BoundAccessor,
  row: FieldValues,
  leaving: RevertStep,
  further: Set<RevertStep>,
): RevertStep | 'none' | undefined {
  const { id, deletedAt } = source.model
  const pointer = plan.find(source, row[id.name])
  if (leaving.kind === 'hard') {
    const taken = pointer ?? plan.takeSpare(source, row[id.name])
    // A mark alone leaves the row, which would point to nothing.
    if (taken && (taken !== pointer || (taken.kind === 'soft' && !taken.isMarked))) {
      taken.kind = 'hard'
      further.add(taken)
    }
    return taken
  }
  const isDeleted = deletedAt !== undefined && (row[deletedAt.name] ?? null) !== null
  return pointer ?? (isDeleted ? 'none' : undefined)
}

/** Whether a record goes, or points elsewhere, once its step is taken. */
function turnsAway(pointer: RevertStep, { field }: Link, leaving: RevertStep): boolean {
  if (isRemoved(pointer) && (pointer.kind === 'hard' || leaving.kind === 'soft')) return true
  return pointer.target !== undefined && pointer.target[field.name] !== leaving.id
}
