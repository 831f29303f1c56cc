import { randomUUID } from 'node:crypto'
import type { BoundAccessor } from '../accessor/bound-accessor.ts'
import { ConflictError, NotFoundError } from '../errors.ts'
import type { Once } from '../idempotency/once.ts'
import type { StorageJobs } from '../jobs/jobs.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { countRows } from '../query/rows.ts'
import type { Session } from '../session/session.ts'
import type { Task } from '../session/task.ts'
import type { Units } from '../session/units.ts'
import { affectedRecords } from './affected.ts'
import { applyBatch } from './apply.ts'
import { examineRecords } from './examine.ts'
import { requireKept } from './kept.ts'
import { batchesOf } from './order.ts'
import { canPark } from './park.ts'
import { RevertPlan } from './plan.ts'
import { needByReferences } from './references.ts'
import type { RevertReport } from './report.ts'
import { checkRevert, type RevertChangesOptions, type RevertSelection, type RevertTask, readRevert } from './selection.ts'
import { needByUniqueKeys } from './unique-keys.ts'

/** What changes are undone in. */
interface RevertTarget {
  readonly accessors: readonly BoundAccessor[]
  readonly log: BoundTable
  readonly head: BoundTable
  readonly units: Units
  readonly once: Once
}

/** The same with the jobs, of which a selection may name one. */
export interface RevertSource extends RevertTarget {
  readonly jobs: Pick<StorageJobs, 'get'>
}

/** Entries from which on the undoing is written by a thread of its own. */
const many = 2_000

/** Undoes what one request, batch, import or actor did, in one unit, or reports what stands against it. */
export async function revertSelected(
  { jobs, ...target }: RevertSource,
  selection: RevertSelection,
  options: RevertChangesOptions,
): Promise<RevertReport> {
  checkRevert(selection, options)
  const { import: job, ...rest } = selection
  return await revertChanges(target, readRevert(job === undefined ? rest : { ...rest, batch: await batchOf(jobs, job) }, options), options)
}

/** The unit in which an import wrote. */
async function batchOf(jobs: RevertSource['jobs'], id: string): Promise<string> {
  const job = await jobs.get(id)
  if (!job)
    throw new NotFoundError(
      `There is no job ${String(id).slice(0, 100)}. Ended ones are forgotten after 7 days: give the batch of its entries.`,
    )
  const batch = job.kind === 'import' ? job.result?.transactionId : undefined
  if (typeof batch === 'string') return batch
  throw new ConflictError('state_conflict', `The ${job.kind} ${job.id} has written nothing that could be undone.`)
}

async function revertChanges(target: RevertTarget, task: RevertTask, options: RevertChangesOptions): Promise<RevertReport> {
  const { conflicts: _conflicts, atMost: _atMost, once: key, requestId = randomUUID(), ...write } = options
  const { log, units, once } = target
  const found = await units.read(write, (connection, context) =>
    countRows(log, connection, context, { filter: task.filter, includeDeleted: true }, many),
  )
  const work = (session: Session): Task<RevertReport> => {
    if (found === 0) throw new NotFoundError('The audit log has no entry of what is to be undone.')
    return revertIn(session, target, task)
  }
  const how = { write: { ...write, requestId }, alone: true, timeLimit: Number.POSITIVE_INFINITY, large: found >= many }
  try {
    if (key === undefined || options.dryRun) return await units.run(how, work)
    const { answer, replayed } = await once.runUnit(how, key, work)
    return { ...answer, replayed }
  } catch (error) {
    if (error instanceof Refused) return error.report
    throw error
  }
}

/** Carries the report out of the unit, which is rolled back for it. */
class Refused extends Error {
  readonly report: RevertReport

  constructor(report: RevertReport) {
    super('changes cannot be undone')
    this.report = report
  }
}

function* revertIn(session: Session, { accessors, log, head }: RevertTarget, task: RevertTask): Task<RevertReport> {
  yield* requireKept({ log, head }, session, task)
  const plan = new RevertPlan()
  const affected = yield* affectedRecords(log, session, task, ({ id, component }) =>
    plan.noteConflict(component, null, 'not_recorded', { entryId: id }),
  )
  for (const [component, records] of affected) {
    const bound = accessors.find((accessor) => accessor.component === component)
    if (bound) yield* examineRecords(plan, bound, session, records, task.filter)
    else for (const [id, entryId] of records) plan.noteConflict(component, id, 'unknown_component', { entryId })
  }
  yield* needByReferences(plan, session)
  yield* needByUniqueKeys(plan, session)
  plan.settle()
  const batches = batchesOf(plan, canPark)
  const { dryRun, requestId } = session.context
  const report = (isWritten: boolean): RevertReport => ({
    applied: isWritten && !dryRun,
    dryRun,
    // The unit was given one.
    requestId: requestId ?? '',
    replayed: false,
    components: plan.components(),
    conflicts: plan.conflicts,
    conflictCount: plan.conflictCount,
  })
  if (plan.conflictCount > 0 && !task.skip) throw new Refused(report(false))
  for (const batch of batches) yield* applyBatch(plan, session, batch)
  return report(true)
}
