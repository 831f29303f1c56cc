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
  return allOf(tenantScope(model, caller), readable && caller.asked ? withinReach(readable(caller), caller) : everything)
}

/** Holds what a filter asks of linked records to those that there are for the caller: another tenant's record links nothing. */
export function withinReach(filter: Filter, caller: CallerContext): Filter {
  return reachOf(caller) === 'every' ? filter : heldLinks(filter, caller)
}

function heldLinks(filter: Filter, caller: CallerContext): Filter {
  switch (filter.type) {
    case 'linked':
      return { ...filter, filter: allOf(tenantScope(filter.table.model, caller), heldLinks(filter.filter, caller)) }
    case 'not': {
      const part = heldLinks(filter.part, caller)
      return part === filter.part ? filter : { type: 'not', part }
    }
    case 'and':
    case 'or': {
      const parts = filter.parts.map((part) => heldLinks(part, caller))
      return parts.every((part, index) => part === filter.parts[index]) ? filter : { type: filter.type, parts }
    }
    default:
      return filter
  }
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
