import type { Link } from './bound-accessor.ts'
import { type Doomed, type DoomedRecord, groupsOf } from './doomed.ts'

/** What has to happen before the next rows can go, or which rows go next: all of one model. */
export type RemovalStep =
  | { readonly type: 'remove'; readonly records: readonly DoomedRecord[] }
  /** Rows of a circle: their references are emptied, so that one of them can be the first to go. */
  | { readonly type: 'empty'; readonly link: Link; readonly records: readonly DoomedRecord[] }

/**
 * An order in which rows can go although the database lets no row go while another one points to it: those that point
 * before those that are pointed to, and circles opened where a reference can be empty.
 */
export function removalSteps(doomed: Doomed): RemovalStep[] {
  const waiting = new Set(doomed.all().filter(({ mode }) => mode === 'hard'))
  const pointers = new Pointers(doomed, waiting)
  const steps: RemovalStep[] = []
  let free = [...waiting].filter((record) => pointers.isFree(record))
  while (waiting.size > 0) {
    if (free.length === 0) {
      const link = pointers.openable(waiting)
      // A circle of references that cannot be empty: one statement for each model is all that can be tried.
      if (!link) return [...steps, ...removals([...waiting])]
      const sources = [...waiting].filter(({ bound }) => bound === link.source)
      steps.push({ type: 'empty', link, records: sources })
      free = sources.flatMap((record) => pointers.drop(record, link))
      continue
    }
    steps.push(...removals(free))
    for (const record of free) waiting.delete(record)
    free = free.flatMap((record) => record.bound.references.flatMap((link) => pointers.drop(record, link)))
  }
  return steps
}

function removals(records: readonly DoomedRecord[]): RemovalStep[] {
  return groupsOf(records).map((group) => ({ type: 'remove', records: group }))
}

/** Who among the waiting records points to whom. */
class Pointers {
  readonly #targets = new Map<DoomedRecord, Map<Link, DoomedRecord>>()
  /** How many references lead to a record. */
  readonly #counts = new Map<DoomedRecord, number>()

  constructor(doomed: Doomed, waiting: ReadonlySet<DoomedRecord>) {
    for (const record of waiting) {
      for (const link of record.bound.references) {
        const id = record.previous[link.field.name]
        const target = id === null ? undefined : doomed.get(link.target, { [link.target.model.id.name]: id })
        if (target && target !== record && waiting.has(target)) this.#add(record, link, target)
      }
    }
  }

  isFree(record: DoomedRecord): boolean {
    return (this.#counts.get(record) ?? 0) === 0
  }

  /** A reference inside the circles that can be empty. */
  openable(waiting: ReadonlySet<DoomedRecord>): Link | undefined {
    for (const record of waiting) {
      for (const link of this.#targets.get(record)?.keys() ?? []) if (link.field.nullable) return link
    }
    return undefined
  }

  /** Forgets a reference; answers the record that it led to when none leads there now. */
  drop(record: DoomedRecord, link: Link): DoomedRecord[] {
    const targets = this.#targets.get(record)
    const target = targets?.get(link)
    if (!target) return []
    targets?.delete(link)
    const count = (this.#counts.get(target) ?? 1) - 1
    this.#counts.set(target, count)
    return count === 0 ? [target] : []
  }

  #add(record: DoomedRecord, link: Link, target: DoomedRecord): void {
    const targets = this.#targets.get(record) ?? new Map<Link, DoomedRecord>()
    this.#targets.set(record, targets.set(link, target))
    this.#counts.set(target, (this.#counts.get(target) ?? 0) + 1)
  }
}
