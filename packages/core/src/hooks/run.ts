import { isPromise } from '../engine/is-promise.ts'
import { copyRecord, ownValues } from '../model/copy-record.ts'
import type { PieceOfWork } from '../session/observer.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import type { Units } from '../session/units.ts'
import type { CommitEvent, HookMoment, Operation } from './events.ts'
import type { HookRegistry } from './registry.ts'

/** One record on its way through a write. */
export interface RecordChange {
  /** The record as it will be; before-hooks may change it. */
  readonly record: Record<string, unknown>
  readonly previous: Record<string, unknown> | null
}

/** Calls the hooks of one moment for each change, one after the other, inside the session. */
export function* runHooks(
  units: Units,
  registry: HookRegistry,
  moment: HookMoment,
  session: Session,
  operation: Operation,
  changes: readonly RecordChange[],
): Task<void> {
  const hooks = registry.at(moment)
  if (hooks.length === 0) return
  const { actor, requestId, principal = null } = session.context
  const around = session.observer?.around
  const isBefore = moment.startsWith('before')
  for (const change of changes) {
    // Only before-hooks may change the record; what others do to theirs reaches neither the caller nor the log.
    const record = isBefore ? change.record : copyRecord(registry.model, change.record)
    if (isBefore) ownValues(registry.model, record)
    const previous = change.previous && copyRecord(registry.model, change.previous)
    for (const hook of hooks) {
      // Hooks see the record by its model's row type; inside the library records are plain objects of fields.
      const event = { record, previous, operation, session, actor, principal, requestId } as Parameters<typeof hook>[0]
      const result = units.inside(session, around ? () => around(pieceOf(registry, moment), () => hook(event)) : () => hook(event))
      if (!isPromise(result as Promise<unknown>)) continue
      registry.noteAwait(moment)
      yield* wait(result as Promise<unknown>)
    }
  }
}

function pieceOf({ component }: HookRegistry, name: HookMoment | 'afterCommit'): PieceOfWork {
  return { kind: 'hook', name, component, id: null }
}

/** Queues what happens after the commit for each change: the observer is told, and the afterCommit hooks run. */
export function queueCommitHooks(registry: HookRegistry, session: Session, operation: Operation, changes: readonly RecordChange[]): void {
  const { actor, requestId, principal = null } = session.context
  const { recordsWritten, around } = session.observer ?? {}
  if (!recordsWritten && registry.commitHooks.length === 0) return
  if (recordsWritten) session.noteCommit(() => recordsWritten({ component: registry.component, operation, count: changes.length }))
  for (const { record, previous } of changes) {
    for (const hook of registry.commitHooks) {
      // As in runHooks: the plain object is the model's row.
      const event = {
        record: copyRecord(registry.model, record),
        previous: previous && copyRecord(registry.model, previous),
        operation,
        actor,
        principal,
        requestId,
      } as CommitEvent
      session.afterCommit(around ? () => around(pieceOf(registry, 'afterCommit'), () => hook(event)) : () => hook(event))
    }
  }
}
