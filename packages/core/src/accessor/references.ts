import { UsageError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'

/** Refuses models that point to one of another storage. */
export function checkReferences(models: readonly AnyModel[]): void {
  for (const model of models) {
    for (const field of model.fields) {
      const target = field.reference?.model()
      if (!target || models.includes(target)) continue
      throw new UsageError(
        'invalid_options',
        `${model.name}.${field.name} points to ${target.name}, which has no accessor in this storage.`,
      )
    }
  }
}

/** Tells each accessor which records point where. */
export function linkAll(bound: ReadonlyMap<AnyModel, BoundAccessor & { references: Link[]; referrers: Link[] }>): void {
  for (const source of bound.values()) {
    for (const field of source.model.fields) {
      const target = field.reference && bound.get(field.reference.model())
      if (!target) continue
      const link = { field, source, target }
      source.references.push(link)
      target.referrers.push(link)
    }
  }
}
