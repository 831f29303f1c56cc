import type { AnyModel } from './model.ts'

/** Remembers for each model what was worked out from it once. References are followed then, not at definition. */
export function perModel<Plan>(build: (model: AnyModel) => Plan): (model: AnyModel) => Plan {
  const plans = new WeakMap<AnyModel, Plan>()
  return (model) => {
    const known = plans.get(model)
    if (known !== undefined) return known
    const plan = build(model)
    plans.set(model, plan)
    return plan
  }
}
