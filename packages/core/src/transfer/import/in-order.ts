import type { AnyModel } from '../../model/model.ts'
import { inReferenceOrder } from '../../schema/wanted-table.ts'

/**
 * Models in an order in which those come first that others cannot do without; references that take null give way where models point to
 * each other in a circle. A circle of references that take none has no first record, so it is empty.
 */
export function inNeededOrder(models: readonly AnyModel[]): readonly AnyModel[] {
  const ordered = new Set<AnyModel>()
  const visiting = new Set<AnyModel>()
  const visit = (model: AnyModel): void => {
    if (ordered.has(model) || visiting.has(model)) return
    visiting.add(model)
    for (const { reference, nullable } of model.fields) if (reference && !nullable) visit(reference.model())
    ordered.add(model)
  }
  for (const model of inReferenceOrder(models)) visit(model)
  return [...ordered]
}
