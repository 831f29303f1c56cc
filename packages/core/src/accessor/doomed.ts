import type { Operation } from '../hooks/events.ts'
import type { FieldValues } from '../query/bound-table.ts'
import type { BoundAccessor } from './bound-accessor.ts'

/** Whether records are marked as deleted or removed for good. */
export type DeleteMode = 'soft' | 'hard'

/** Records of one component that are to go. */
export interface DeletedGroup {
  readonly bound: BoundAccessor
  readonly found: readonly FieldValues[]
  readonly mode: DeleteMode
  /** Nothing goes with them: what points to them did so when they were deleted before. For `soft` alone. */
  readonly alone?: boolean
  /** By id: values that were taken from rows for a moment, as the log and the hooks have them. */
  readonly taken?: ReadonlyMap<unknown, FieldValues>
}

/** A record that one delete takes away, asked for or by a cascade. */
export interface DoomedRecord {
  readonly bound: BoundAccessor
  mode: DeleteMode
  /** As it stands. */
  previous: FieldValues
  /** As it will be left; hooks are shown it. */
  readonly record: FieldValues
  /** References that go empty with it: it is marked only, and what they point to goes for good. */
  readonly emptied: Set<string>
  /** Values that its row has not, for a moment. */
  taken?: FieldValues | undefined
  /** What points to it stays as it is. */
  alone?: boolean
}

/** Everything that one delete takes away, each record once: references can run in circles. */
export class Doomed {
  readonly #records = new Map<string, DoomedRecord>()

  /** Adds the records that are new to it, or that now go for good and not only marked; answers those. */
  add(bound: BoundAccessor, found: readonly FieldValues[], mode: DeleteMode): DoomedRecord[] {
    const added: DoomedRecord[] = []
    for (const previous of found) {
      const known = this.get(bound, previous)
      if (known && (known.mode === 'hard' || mode === 'soft')) continue
      const doomed = known ?? { bound, mode, previous, record: { ...previous }, emptied: new Set() }
      doomed.mode = mode
      this.#records.set(keyOf(bound, previous), doomed)
      added.push(doomed)
    }
    return added
  }

  get(bound: BoundAccessor, record: FieldValues): DoomedRecord | undefined {
    return this.#records.get(keyOf(bound, record))
  }

  remove({ bound, previous }: DoomedRecord): void {
    this.#records.delete(keyOf(bound, previous))
  }

  all(): DoomedRecord[] {
    return [...this.#records.values()]
  }

  /** The records by model and mode. */
  groups(): DoomedRecord[][] {
    return groupsOf(this.all())
  }
}

/** Puts the records of each model and mode together, in the order of their first ones. */
export function groupsOf(records: readonly DoomedRecord[]): DoomedRecord[][] {
  return [...Map.groupBy(records, ({ bound, mode }) => `${bound.model.name} ${mode}`).values()]
}

/** What the log and the hooks call it. */
export function operationOf(bound: BoundAccessor, mode: DeleteMode): Operation {
  if (mode === 'soft') return 'soft_delete'
  return bound.model.deletedAt ? 'purge' : 'delete'
}

function keyOf(bound: BoundAccessor, record: FieldValues): string {
  return `${bound.model.name}:${String(record[bound.model.id.name])}`
}
