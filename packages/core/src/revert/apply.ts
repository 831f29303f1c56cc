import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundAccessor } from '../accessor/bound-accessor.ts'
import { deleteTogether } from '../accessor/delete.ts'
import type { DeletedGroup } from '../accessor/doomed.ts'
import type { WaitingReference } from '../accessor/import-records.ts'
import { lockRecordsById } from '../accessor/lock.ts'
import { bringBack, contentOf } from '../accessor/past/bring-back.ts'
import { lockedFields } from '../accessor/permit.ts'
import { withNamedConflicts } from '../accessor/violation.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { fillReferences } from '../query/fill-references.ts'
import { piecesOf } from '../query/shape.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import { statesBefore } from './examine.ts'
import type { Batch } from './order.ts'
import { parkedValues, parkRecords, unparkRecord } from './park.ts'
import { isRemoved, type RevertPlan, type RevertStep } from './plan.ts'

/** Records that are written at a time. */
const pieceSize = 500

/** Takes steps, each by the verb that any write would use. */
export function* applyBatch(plan: RevertPlan, session: Session, { type, steps }: Batch): Task<void> {
  if (type === 'park') return yield* parkRecords(session, steps)
  const pieces = type === 'circle' ? [steps] : piecesOf(steps, pieceSize)
  for (const piece of pieces) {
    if (piece.every(isRemoved)) yield* removeAll(session, piece)
    else if (piece.every(({ kind }) => kind === 'create')) yield* createAll(session, piece)
    else yield* changeAll(session, piece)
    for (const step of piece) plan.noteDone(step)
    yield* wait(nextTurn())
  }
}

function byComponent(steps: readonly RevertStep[]): Map<BoundAccessor, RevertStep[]> {
  return Map.groupBy(steps, ({ bound }) => bound)
}

/** The records as they were, by their steps. Erased ones have been refused before. */
function* imagesOf(bound: BoundAccessor, session: Session, steps: readonly RevertStep[]): Task<Map<RevertStep, FieldValues>> {
  const entryIds = steps.map(({ entryId }) => entryId)
  const states = yield* statesBefore(bound, session, entryIds)
  return new Map(
    steps.flatMap((step) => {
      const state = states.get(step.entryId)
      return state?.type === 'record' ? [[step, state.image] as const] : []
    }),
  )
}

/** Makes records anew. Those of a circle point to each other once all of them are there. */
function* createAll(session: Session, steps: readonly RevertStep[]): Task<void> {
  const groups = byComponent(steps)
  const waiting = new Map<BoundAccessor, readonly WaitingReference[]>()
  for (const [bound, own] of groups) {
    const kept = lockedFields(bound, session.context)
    const images = [...(yield* imagesOf(bound, session, own)).values()]
    const records = images.map((image) => ({ previous: undefined, image, kept }))
    yield* bringBack(bound, session, records, {
      mayWait: ({ target }) => groups.has(target),
      add: (references) => waiting.set(bound, references),
    })
  }
  for (const [bound, references] of waiting)
    for (const [field, own] of Map.groupBy(references, (reference) => reference.field))
      yield* withNamedConflicts(bound, session, [], fillReferences(bound.table, session.connection, field.name, own))
}

/** Changes and restores records. */
function* changeAll(session: Session, steps: readonly RevertStep[]): Task<void> {
  for (const [bound, own] of byComponent(steps)) {
    const kept = lockedFields(bound, session.context)
    const images = yield* imagesOf(bound, session, own)
    const rows = yield* rowsOf(bound, session, own)
    const records = own.flatMap((step) => {
      const [image, row] = [images.get(step), rows.get(step.id)]
      // A hook may have removed it meanwhile.
      return image && row ? [{ step, previous: step.parked ?? row, image, kept }] : []
    })
    // Told before the records are written: then nothing of them differs.
    const contents = records.map((record) => contentOf(bound, record))
    yield* bringBack(bound, session, records)
    for (const [index, { step }] of records.entries()) yield* unparkRecord(session, step, contents[index] ?? {})
  }
}

function* rowsOf(bound: BoundAccessor, session: Session, steps: readonly RevertStep[]): Task<Map<unknown, FieldValues>> {
  const ids = steps.map(({ id }) => id)
  const rows = yield* lockRecordsById(bound, session, ids, { includeDeleted: true })
  return new Map(rows.map((row) => [row[bound.model.id.name], row]))
}

/** A record that was deleted before is only marked again: what points to it did so then. */
function goesAlone({ kind, isMarked }: RevertStep): boolean {
  return kind === 'soft' && isMarked
}

const removals = [
  ['soft', true],
  ['soft', false],
  ['hard', false],
] as const

/** Deletes records; those that were deleted before have the content of then. */
function* removeAll(session: Session, steps: readonly RevertStep[]): Task<void> {
  const groups: DeletedGroup[] = []
  for (const [bound, own] of byComponent(steps)) {
    const rows = yield* rowsOf(bound, session, own)
    for (const [mode, alone] of removals) {
      const going = own.filter((step) => step.kind === mode && goesAlone(step) === alone && rows.has(step.id))
      const found = going.map(({ id, parked }): FieldValues => parked ?? rows.get(id) ?? {})
      const taken = new Map(going.flatMap(({ id, parked }) => (parked ? [[id, parkedValues(bound, parked)] as const] : [])))
      if (found.length > 0) groups.push({ bound, found, mode, taken, alone })
    }
  }
  yield* deleteTogether(session, groups)
  for (const step of steps) if (step.kind === 'soft') yield* unparkRecord(session, step, {})
  const marked = steps.filter(({ isMarked }) => isMarked)
  if (marked.length > 0) yield* changeAll(session, marked)
}
