import { type ImageLimits, imageLimits } from '../audit/shown-entry.ts'
import type { AnyModel } from '../model/model.ts'
import { allOf, equals, everything, type Filter, nothing, oneOf } from '../query/filter.ts'
import type { CallerContext } from '../session/context.ts'
import type { Principal } from '../session/principal.ts'
import { reachOf } from '../session/reach.ts'
import type { ModelAccess } from './model-access.ts'

/** The rules of a component whose records the log tells of; undefined where there are none. */
export interface AuditedComponent {
  readonly component: string
  readonly model: AnyModel
  readonly accessFor: (principal: Principal) => ModelAccess | undefined
}

/**
 * The entries that a caller may read: those of its tenant, and for a principal those about components all of whose records it may read.
 * Where it may read some of the records alone, an entry could tell of the others. Where records belong to tenants, so do entries, and a
 * principal who belongs nowhere has none.
 */
export function readableEntries(components: readonly AuditedComponent[], caller: CallerContext): Filter {
  const { tenant, principal, memory, access: mode } = caller
  const own = tenant === null ? everything : equals('tenant', tenant)
  if (!principal || mode === 'system') return own
  if (reachOf(caller) === 'none' && components.some(({ model }) => model.tenant)) return nothing
  const isOpen = ({ accessFor }: AuditedComponent): boolean =>
    (accessFor(principal)?.decide('read', { principal, memory }).filter ?? everything) === everything
  const open = components.filter(isOpen).map(({ component }) => component)
  const isRuled = components.some(({ accessFor }) => accessFor(principal) !== undefined)
  // Components that are no more have no rules of their own: whoever is held to rules sees those that there are, and all of them the database's.
  if (open.length === components.length && !isRuled) return own
  return allOf(own, oneOf('component', open.length === components.length ? [...open, databaseComponent] : open))
}

/** Entries about the whole database have it. */
const databaseComponent = 'db'

/** How the images of a component are shown to a caller. */
export function limitsIn(components: readonly AuditedComponent[], component: string, caller: CallerContext): ImageLimits | undefined {
  const found = components.find((candidate) => candidate.component === component)
  return found && limitsOf(found, caller)
}

/** The same of a component that is known. */
export function limitsOf(
  { model, accessFor }: AuditedComponent,
  { principal, memory, access: mode }: CallerContext,
): ImageLimits | undefined {
  if (!principal || mode === 'system') return imageLimits(model)
  return imageLimits(model, accessFor(principal)?.limits({ principal, memory }).hidden)
}
