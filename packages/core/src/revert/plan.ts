import type { BoundAccessor } from '../accessor/bound-accessor.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { mostConflicts, type RevertConflict, type RevertConflictReason, type RevertedComponent } from './report.ts'

/** What is done with a record: it is made anew, restored or changed, or it goes. */
export type StepKind = 'create' | 'restore' | 'update' | 'soft' | 'hard'

/** A step that has to be taken, and what stands in the way where it is not. */
export interface Need {
  readonly step: RevertStep
  readonly reason: RevertConflictReason
  /** Whether it has to be taken first. */
  readonly isFirst: boolean
}

/** What becomes of one record. */
export interface RevertStep {
  readonly bound: BoundAccessor
  readonly id: unknown
  /** The first of the entries that are undone: what was before it comes back. */
  readonly entryId: number
  kind: StepKind
  /** The record's references and unique fields as they will be; undefined where it goes without a trace. */
  readonly target: FieldValues | undefined
  /** It will be marked as deleted. */
  readonly isMarked: boolean
  readonly needs: Need[]
  /** The record as it stands, where a value that another one needs was taken from it first. */
  parked: FieldValues | undefined
}

/** Whether the record is there afterwards, and live. */
export function isMade({ kind, isMarked }: RevertStep): boolean {
  return !isMarked && (kind === 'create' || kind === 'restore' || kind === 'update')
}

/** Whether the record goes. */
export function isRemoved({ kind }: RevertStep): boolean {
  return kind === 'soft' || kind === 'hard'
}

/** What is to be done, and what cannot be. */
export class RevertPlan {
  readonly steps = new Map<BoundAccessor, Map<unknown, RevertStep>>()
  /** Records that are deleted, and were not there: they go for good where what they point to does. */
  readonly spare = new Map<BoundAccessor, Map<unknown, RevertStep>>()
  readonly conflicts: RevertConflict[] = []
  conflictCount = 0
  readonly #unchanged = new Map<BoundAccessor, number>()
  readonly #done = new Map<BoundAccessor, Record<StepKind, number>>()

  add(step: RevertStep): void {
    put(this.steps, step)
  }

  addSpare(step: RevertStep): void {
    put(this.spare, step)
    this.noteUnchanged(step.bound)
  }

  find(bound: BoundAccessor, id: unknown): RevertStep | undefined {
    return this.steps.get(bound)?.get(id)
  }

  has(step: RevertStep): boolean {
    return this.find(step.bound, step.id) === step
  }

  /** Makes a spare record a step. */
  takeSpare(bound: BoundAccessor, id: unknown): RevertStep | undefined {
    const step = this.spare.get(bound)?.get(id)
    if (!step) return undefined
    this.spare.get(bound)?.delete(id)
    this.noteUnchanged(bound, -1)
    this.add(step)
    return step
  }

  *all(): Generator<RevertStep, void, undefined> {
    for (const ofComponent of this.steps.values()) yield* ofComponent.values()
  }

  noteUnchanged(bound: BoundAccessor, count = 1): void {
    this.#unchanged.set(bound, (this.#unchanged.get(bound) ?? 0) + count)
  }

  noteDone({ bound, kind }: RevertStep): void {
    const counts = this.#done.get(bound) ?? { create: 0, restore: 0, update: 0, soft: 0, hard: 0 }
    this.#done.set(bound, counts)
    counts[kind]++
  }

  /** A record that cannot go back. */
  refuse(bound: BoundAccessor, id: unknown, reason: RevertConflictReason, about: { entryId?: number; words?: string } = {}): void {
    this.steps.get(bound)?.delete(id)
    // Ids of models are numbers or text.
    this.noteConflict(bound.component, id as number | string, reason, about)
  }

  noteConflict(
    component: string,
    recordId: number | string | null,
    reason: RevertConflictReason,
    { entryId, words = '' }: { entryId?: number; words?: string } = {},
  ): void {
    this.conflictCount++
    if (this.conflicts.length >= mostConflicts) return
    const message = `${recordId === null ? `Entry ${entryId}` : `${component} ${recordId}`} ${sentences[reason]}${words}.`
    this.conflicts.push({ component, recordId, reason, message, entryId: entryId ?? null })
  }

  /** Takes out the steps that need one which is not taken, and those that need these. */
  settle(): void {
    const dependants = new Map<RevertStep, RevertStep[]>()
    const waiting: RevertStep[] = []
    for (const step of this.all()) {
      for (const need of step.needs) {
        if (!this.has(need.step)) waiting.push(step)
        const others = dependants.get(need.step)
        if (others) others.push(step)
        else dependants.set(need.step, [step])
      }
    }
    for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
      const missing = this.has(step) ? step.needs.find((need) => !this.has(need.step)) : undefined
      if (!missing) continue
      this.refuse(step.bound, step.id, missing.reason)
      // Not all at once as arguments: the stack has room for some ten thousands.
      for (const other of dependants.get(step) ?? []) waiting.push(other)
    }
  }

  /** What became of each component's records. */
  components(): RevertedComponent[] {
    const known = new Set([...this.#done.keys(), ...this.#unchanged.keys()])
    return [...known].map((bound) => {
      const { create = 0, update = 0, restore = 0, soft = 0, hard = 0 } = this.#done.get(bound) ?? {}
      const unchanged = this.#unchanged.get(bound) ?? 0
      return { component: bound.component, created: create, updated: update, restored: restore, deleted: soft + hard, unchanged }
    })
  }
}

function put(steps: Map<BoundAccessor, Map<unknown, RevertStep>>, step: RevertStep): void {
  const ofComponent = steps.get(step.bound) ?? new Map<unknown, RevertStep>()
  steps.set(step.bound, ofComponent.set(step.id, step))
}

const sentences: Readonly<Record<RevertConflictReason, string>> = {
  changed_later: 'was changed later',
  missing_target: 'would point to a record that is not there',
  still_referenced: 'is pointed to by a record that stays',
  taken: 'had a value that another record has now',
  erased: 'was erased, and nobody knows what it was',
  lost_secret: 'was removed for good, and needs a secret that is in no log',
  circle: 'and others stand in each other’s way',
  unknown_component: 'is of no component of this storage',
  not_recorded: 'does not tell record by record what was written',
}
