import type { RevertPlan, RevertStep } from './plan.ts'

/** Steps of one component and kind that wait for nothing any more; a circle of them that has to be taken as one; or values that are in the way. */
export type Batch =
  | { readonly type: 'alike' | 'circle'; readonly steps: readonly RevertStep[] }
  /** Their unique values are taken from the records, which get others later. */
  | { readonly type: 'park'; readonly steps: readonly RevertStep[] }

/**
 * Puts the steps into an order in which each comes after those that it needs. Where they wait for each other in a circle, it is opened: by
 * taking unique values from records that can be without for a moment, or by taking those that are made, or that go, together. What cannot
 * be opened is refused, and with it what needs it.
 */
export function batchesOf(plan: RevertPlan, canPark: (holder: RevertStep) => boolean): Batch[] {
  const order = new Order(plan)
  const batches: Batch[] = []
  while (!order.isDone()) {
    const free = order.takeFree()
    for (const steps of groupsOf(free)) batches.push({ type: 'alike', steps })
    if (free.length > 0) continue
    const parked = order.park(canPark)
    if (parked.length > 0) batches.push({ type: 'park', steps: parked })
    const circle = parked.length > 0 ? [] : order.takeCircle()
    if (circle.length > 0) batches.push({ type: 'circle', steps: circle })
  }
  return batches
}

class Order {
  readonly #plan: RevertPlan
  readonly #waiting = new Set<RevertStep>()
  /** How many steps a step waits for, and who waits for it. */
  readonly #counts = new Map<RevertStep, number>()
  readonly #dependants = new Map<RevertStep, { readonly step: RevertStep; readonly reason: string }[]>()
  #free: RevertStep[] = []

  constructor(plan: RevertPlan) {
    this.#plan = plan
    for (const step of plan.all()) {
      this.#waiting.add(step)
      const needs = step.needs.filter(({ isFirst }) => isFirst)
      for (const need of needs) {
        const others = this.#dependants.get(need.step)
        const dependant = { step, reason: need.reason }
        if (others) others.push(dependant)
        else this.#dependants.set(need.step, [dependant])
      }
      if (needs.length > 0) this.#counts.set(step, needs.length)
      else this.#free.push(step)
    }
  }

  isDone(): boolean {
    return this.#waiting.size === 0
  }

  takeFree(): RevertStep[] {
    const taken = this.#free
    this.#free = []
    for (const step of taken) this.#take(step)
    return taken
  }

  #take(step: RevertStep): void {
    this.#waiting.delete(step)
    for (const { step: other } of this.#dependants.get(step) ?? []) this.#release(other)
    this.#dependants.delete(step)
  }

  #release(step: RevertStep): void {
    const count = (this.#counts.get(step) ?? 1) - 1
    this.#counts.set(step, count)
    if (count === 0 && this.#waiting.has(step)) this.#free.push(step)
  }

  /** Takes values that others wait for from records that change anyway. */
  park(canPark: (holder: RevertStep) => boolean): RevertStep[] {
    const parked: RevertStep[] = []
    for (const holder of this.#waiting) {
      const dependants = this.#dependants.get(holder) ?? []
      const released = dependants.filter(({ step, reason }) => reason === 'taken' && this.#waiting.has(step))
      if (released.length === 0 || !canPark(holder)) continue
      this.#dependants.set(
        holder,
        dependants.filter((dependant) => !released.includes(dependant)),
      )
      for (const { step } of released) {
        step.needs.splice(0, step.needs.length, ...step.needs.filter((need) => need.step !== holder || need.reason !== 'taken'))
        this.#release(step)
      }
      parked.push(holder)
    }
    return parked
  }

  /** Steps that can be taken together: of those that are made, and of those that go, all that wait for each other alone. */
  takeCircle(): RevertStep[] {
    for (const kinds of [['create'], ['soft', 'hard']]) {
      const circle = this.#closed([...this.#waiting].filter(({ kind }) => kinds.includes(kind)))
      for (const step of circle) this.#take(step)
      // Those that were released by their neighbours are in it themselves.
      if (circle.length > 0) {
        const own = new Set(circle)
        this.#free = this.#free.filter((step) => !own.has(step))
        return circle
      }
    }
    for (const step of this.#waiting) this.#plan.refuse(step.bound, step.id, 'circle')
    this.#waiting.clear()
    return []
  }

  /** The largest part of some steps that waits for nothing outside of it, and for no value of another record. */
  #closed(steps: readonly RevertStep[]): RevertStep[] {
    const inside = new Set(steps)
    for (let size = -1; size !== inside.size; ) {
      size = inside.size
      for (const step of inside) {
        const waits = step.needs.some(
          (need) => need.isFirst && this.#waiting.has(need.step) && (!inside.has(need.step) || need.reason === 'taken'),
        )
        if (waits) inside.delete(step)
      }
    }
    return [...inside]
  }
}

function groupsOf(steps: readonly RevertStep[]): RevertStep[][] {
  return [...Map.groupBy(steps, ({ bound, kind }) => `${bound.component} ${kind}`).values()]
}
