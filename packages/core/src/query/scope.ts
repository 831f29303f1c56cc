import type { AnyModel, Field } from '../model/model.ts'
import type { CallerContext } from '../session/context.ts'
import { everyTenant } from '../session/principal.ts'
import type { BoundTable } from './bound-table.ts'
import { allOf, equals, everything, type Filter, nothing } from './filter.ts'

/**
 * The condition under which records of a model exist for the caller at all. Every statement passes through here: tenancy holds for all of
 * them, and what may be read for those records that a principal asked for.
 */
export function scope({ model, readable }: BoundTable, caller: CallerContext | undefined): Filter {
  if (!caller) return everything
  const { principal, access, asked } = caller
  const mayRead = readable && principal && asked && access === 'caller' ? readable(principal) : everything
  return allOf(tenantScope(model, caller), mayRead)
}

function tenantScope({ tenant: field }: AnyModel, { tenant, principal, access }: CallerContext): Filter {
  if (!field) return everything
  if (tenant !== null) return equals(field.name, tenantValue(field, tenant))
  // A principal who belongs nowhere has nothing, rather than everything.
  return principal && access === 'caller' && principal.tenant !== everyTenant ? nothing : everything
}

/** A tenant as the field of a model holds it. */
export function tenantValue({ kind, normalise }: Field, tenant: string): unknown {
  return normalise(kind === 'integer' ? Number(tenant) : tenant)
}
