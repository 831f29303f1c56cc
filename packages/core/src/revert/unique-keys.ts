import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundAccessor } from '../accessor/bound-accessor.ts'
import { canonicalJson } from '../audit/canonical.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { allOf, equals, type Filter, oneOf } from '../query/filter.ts'
import { selectRows } from '../query/rows.ts'
import { piecesOf } from '../query/shape.ts'
import type { Session } from '../session/session.ts'
import { type Task, wait } from '../session/task.ts'
import { isMade, type RevertPlan, type RevertStep } from './plan.ts'

/** Finds what the steps need of each other, since of some values each record has its own. */
export function* needByUniqueKeys(plan: RevertPlan, session: Session): Task<void> {
  for (const bound of plan.steps.keys()) for (const key of bound.model.unique) yield* needByKey(plan, session, bound, key)
}

function* needByKey(plan: RevertPlan, session: Session, bound: BoundAccessor, key: readonly string[]): Task<void> {
  const wanted = new Map<string, RevertStep>()
  for (const step of plan.steps.get(bound)?.values() ?? []) {
    const text = isMade(step) ? keyText(bound, key, step.target) : undefined
    if (text === undefined) continue
    // At different times both had it.
    if (wanted.has(text)) plan.refuse(bound, step.id, 'taken')
    else wanted.set(text, step)
  }
  for (const piece of piecesOf([...wanted], 100)) {
    const filter = filterOf(
      key,
      piece.map(([, { target }]) => target ?? {}),
    )
    // Only of live records a value is their own. The library asks: whoever may not see the other one has the conflict all the same.
    const columns = [bound.model.id.name, ...key]
    const options = { filter, includeDeleted: false, order: [], columns: [...new Set(columns)] }
    for (const row of yield* selectRows(bound.table, session.connection, session.context, options)) {
      const step = wanted.get(keyText(bound, key, row) ?? '')
      if (!step || row[bound.model.id.name] === step.id || !plan.has(step)) continue
      const holder = plan.find(bound, row[bound.model.id.name])
      // A step that keeps the value has been refused above, or is this one.
      if (holder && !keeps(bound, key, holder, step)) step.needs.push({ step: holder, reason: 'taken', isFirst: true })
      else plan.refuse(bound, step.id, 'taken')
    }
    yield* wait(nextTurn())
  }
}

function keeps(bound: BoundAccessor, key: readonly string[], holder: RevertStep, step: RevertStep): boolean {
  return isMade(holder) && keyText(bound, key, holder.target) === keyText(bound, key, step.target)
}

function filterOf(key: readonly string[], targets: readonly FieldValues[]): Filter {
  const [only, ...others] = key
  if (only !== undefined && others.length === 0)
    return oneOf(
      only,
      targets.map((target) => target[only]),
    )
  return { type: 'or', parts: targets.map((target) => allOf(...key.map((name) => equals(name, target[name])))) }
}

/** The values of a key as text; undefined where one of them is null, which is nobody's own. */
function keyText({ model }: BoundAccessor, key: readonly string[], record: FieldValues | undefined): string | undefined {
  const values: unknown[] = []
  for (const name of key) {
    const value = record?.[name] ?? null
    if (value === null) return undefined
    values.push(model.fieldsByName.get(name)?.toJson(value))
  }
  return canonicalJson(values)
}
