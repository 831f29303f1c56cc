import type { AnyModel, Field } from './model.ts'

/**
 * The name that `include` has for what a reference leads to: the field's name without the other model's key
 * (`owner_id` is `owner`, `country_code` is `country`), or with `_record` where it does not end so.
 */
export function includeName(field: Field, target: AnyModel): string {
  const ending = `_${target.id.name}`
  return field.name.endsWith(ending) && field.name.length > ending.length ? field.name.slice(0, -ending.length) : `${field.name}_record`
}
