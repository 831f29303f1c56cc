import type { AnyModel, Field } from '../model/model.ts'
import type { CallerContext } from '../session/context.ts'
import { reachOf } from '../session/reach.ts'
import type { BoundTable } from './bound-table.ts'
import { isComparable } from './comparable.ts'
import { allOf, equals, everything, type Filter, nothing } from './filter.ts'

/**
 * The condition under which records of a model exist for the caller at all. Every statement passes through here: tenancy holds for all of
 * them, and what may be read for those records that a principal asked for.
 */
export function scope({ model, readable }: BoundTable, caller: CallerContext | undefined): Filter {
  if (!caller) return everything
  return allOf(tenantScope(model, caller), readable && caller.asked ? readable(caller) : everything)
}

function tenantScope({ tenant: field }: AnyModel, caller: CallerContext): Filter {
  if (!field) return everything
  const reach = reachOf(caller)
  if (typeof reach !== 'object') return reach === 'every' ? everything : nothing
  const value = tenantValue(field, reach.tenant)
  return value === undefined ? nothing : equals(field.name, value)
}

/** A tenant as the field of a model holds it; undefined for one that the field cannot hold, which has no records. */
export function tenantValue(field: Field, tenant: string): unknown {
  // Number() would read the empty text as 0, and ' 7', 7.0 and 0x7 as the same tenant.
  if (field.kind === 'integer' && !/^(0|-?[1-9]\d*)$/.test(tenant)) return undefined
  const value = field.kind === 'integer' ? Number(tenant) : tenant
  return isComparable(field, value) ? field.normalise(value) : undefined
}
