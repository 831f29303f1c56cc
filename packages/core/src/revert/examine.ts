import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundAccessor } from '../accessor/bound-accessor.ts'
import { lockRecordsById } from '../accessor/lock.ts'
import { contentOf, isLost } from '../accessor/past/bring-back.ts'
import { type PastState, stateBefore, stateColumns } from '../accessor/past/past-images.ts'
import { lockedFields } from '../accessor/permit.ts'
import type { Connection } from '../engine/engine.ts'
import { parseId } from '../model/record-id.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, type Filter, oneOf } from '../query/filter.ts'
import { selectRows } from '../query/rows.ts'
import { piecesOf } from '../query/shape.ts'
import type { CallerContext } from '../session/context.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import type { RevertPlan, RevertStep } from './plan.ts'

/** A record that may go back: as it stands, and as it was. */
interface Candidate {
  readonly id: unknown
  readonly entryId: number
  readonly previous: FieldValues | undefined
  readonly state: PastState
  /** The last entry about it that is not undone and came later. */
  readonly later: FieldValues | undefined
}

/** The library reads the log whole: what may be seen was decided by what was found in it. */
export const nobody: CallerContext = { principal: undefined, tenant: null, access: 'system' }

/** Where the log is read so: the database itself shows whoever belongs to a tenant the entries of that one alone. */
export function wholeLog({ connection }: Session): Connection {
  return connection.heldTo('every')
}

/** Looks at the records of one component: what each was, what it is, and who has changed it later. Keeps others from changing them. */
export function* examineRecords(
  plan: RevertPlan,
  bound: BoundAccessor,
  session: Session,
  records: ReadonlyMap<string, number>,
  undone: Filter,
): Task<void> {
  for (const piece of piecesOf([...records], 256)) {
    for (const candidate of yield* candidatesOf(bound, session, piece, undone)) examine(plan, bound, session, candidate)
    yield* wait(nextTurn())
  }
}

function* candidatesOf(
  bound: BoundAccessor,
  session: Session,
  records: readonly (readonly [recordId: string, entryId: number])[],
  undone: Filter,
): Task<Candidate[]> {
  const { model } = bound
  const known = records.flatMap(([text, entryId]) => {
    const id = parseId(model, text)
    return id === undefined ? [] : [{ id, text, entryId }]
  })
  // Before the log is read: from here on nobody else writes to them.
  const rows = yield* lockRecordsById(
    bound,
    session,
    known.map(({ id }) => id),
    { includeDeleted: true },
  )
  const current = new Map(rows.map((row) => [row[model.id.name], row]))
  const states = yield* statesBefore(
    bound,
    session,
    known.map(({ entryId }) => entryId),
  )
  const later = yield* laterEntries(bound, session, records, undone)
  return known.flatMap(({ id, text, entryId }) => {
    const state = states.get(entryId)
    return state ? [{ id, entryId, previous: current.get(id), state, later: later.get(text) }] : []
  })
}

/** What records were before entries, by the entries' ids. */
export function* statesBefore(bound: BoundAccessor, session: Session, entryIds: readonly number[]): Task<Map<number, PastState>> {
  const states = new Map<number, PastState>()
  for (const piece of piecesOf(entryIds, 256)) {
    const options = { filter: oneOf('id', piece), includeDeleted: true, order: [], columns: stateColumns }
    for (const entry of yield* selectRows(bound.moments.log, wholeLog(session), nobody, options))
      states.set(Number(entry['id']), stateBefore(bound, entry))
  }
  return states
}

function* laterEntries(
  bound: BoundAccessor,
  session: Session,
  records: readonly (readonly [recordId: string, entryId: number])[],
  undone: Filter,
): Task<Map<string, FieldValues>> {
  const first = new Map(records)
  const filter = allOf(
    equals('component', bound.component),
    oneOf('record_id', [...first.keys()]),
    { type: 'compare', field: 'id', comparison: 'gt', value: Math.min(...first.values()) },
    { type: 'not', part: undone },
  )
  const order = [{ field: 'id', descending: false }]
  const options = { filter, includeDeleted: true, order, columns: ['id', 'record_id', 'actor'] }
  const later = new Map<string, FieldValues>()
  for (const entry of yield* selectRows(bound.moments.log, wholeLog(session), nobody, options)) {
    const recordId = String(entry['record_id'])
    if (Number(entry['id']) > (first.get(recordId) ?? Number.POSITIVE_INFINITY)) later.set(recordId, entry)
  }
  return later
}

function examine(plan: RevertPlan, bound: BoundAccessor, session: Session, candidate: Candidate): void {
  const { id, entryId, state, later, previous } = candidate
  const meant = state.type === 'erased' ? undefined : stepOf(bound, session, candidate)
  if (state.type === 'erased') plan.refuse(bound, id, 'erased', { entryId })
  else if (meant === 'spare') plan.addSpare(newStep(bound, candidate, { kind: 'hard', isMarked: false }))
  else if (!meant) plan.noteUnchanged(bound)
  else if (later) plan.refuse(bound, id, 'changed_later', laterWords(session, later))
  else if (meant.kind === 'create' && bound.model.fields.some(isLost)) plan.refuse(bound, id, 'lost_secret')
  else {
    const target = state.type === 'record' ? tellingFields(bound, session, previous, state.image) : undefined
    plan.add(newStep(bound, candidate, { ...meant, target }))
  }
}

/** To whoever is held to rules an entry that it might not read is none. */
function laterWords({ context }: Session, later: FieldValues): { entryId?: number; words?: string } {
  const isHeld = context.tenant !== null || (context.principal !== undefined && context.access !== 'system')
  return isHeld ? {} : { entryId: Number(later['id']), words: ` by ${String(later['actor'])}` }
}

function newStep(
  bound: BoundAccessor,
  { id, entryId }: Candidate,
  meant: Pick<RevertStep, 'kind' | 'isMarked'> & { readonly target?: FieldValues | undefined },
): RevertStep {
  return { bound, id, entryId, target: undefined, ...meant, needs: [], parked: undefined }
}

/** What has to be done with a record; undefined where it is what it was. */
function stepOf(
  bound: BoundAccessor,
  session: Session,
  { previous, state }: Candidate,
): Pick<RevertStep, 'kind' | 'isMarked'> | 'spare' | undefined {
  const { deletedAt } = bound.model
  const isDeleted = (record: FieldValues): boolean => deletedAt !== undefined && (record[deletedAt.name] ?? null) !== null
  if (state.type !== 'record') {
    if (!previous) return undefined
    return isDeleted(previous) ? 'spare' : { kind: deletedAt ? 'soft' : 'hard', isMarked: false }
  }
  const { image } = state
  const isMarked = isDeleted(image)
  if (!previous) return { kind: 'create', isMarked }
  if (isDeleted(previous) && !isMarked) return { kind: 'restore', isMarked }
  if (isMarked && !isDeleted(previous)) return { kind: 'soft', isMarked }
  const content = contentOf(bound, { previous, image, kept: lockedFields(bound, session.context) })
  return Object.keys(content).length > 0 ? { kind: 'update', isMarked } : undefined
}

/** The references and unique fields of a record as it will be: what it may get in the way of others with. */
function tellingFields(bound: BoundAccessor, session: Session, previous: FieldValues | undefined, image: FieldValues): FieldValues {
  const content = previous ? contentOf(bound, { previous, image, kept: lockedFields(bound, session.context) }) : image
  const target: FieldValues = {}
  for (const name of tellingNames(bound)) target[name] = (Object.hasOwn(content, name) ? content[name] : previous?.[name]) ?? null
  return target
}

function tellingNames({ model, references }: BoundAccessor): Set<string> {
  return new Set([...references.map(({ field }) => field.name), ...model.unique.flat()])
}
