import type { AnyModel } from '../model/model.ts'
import { allOf, equals, everything, type Filter, oneOf } from '../query/filter.ts'
import { everyTenant, type Principal } from '../session/principal.ts'
import type { ModelAccess } from './model-access.ts'

/** The rules of a component whose records the log tells of; undefined where there are none. */
export interface AuditedComponent {
  readonly component: string
  readonly model: AnyModel
  readonly access: ModelAccess | undefined
}

/**
 * The entries that a principal may read: those of its tenant, about components all of whose records it may read. Where it may read some of
 * the records alone, an entry could tell of the others.
 */
export function readableEntries(components: readonly AuditedComponent[], principal: Principal): Filter {
  const { tenant = null } = principal
  const own = tenant === null || tenant === everyTenant ? everything : equals('tenant', tenant)
  const isOpen = ({ access, model }: AuditedComponent): boolean =>
    (!access || access.decide('read', principal).filter === everything) && (!model.tenant || tenant !== null)
  const open = components.filter(isOpen)
  if (open.length === components.length) return own
  return allOf(
    own,
    oneOf(
      'component',
      open.map(({ component }) => component),
    ),
  )
}

/** The fields that the images of a component are shown without. */
export function hiddenIn(components: readonly AuditedComponent[], component: string, principal: Principal): ReadonlySet<string> {
  return components.find((candidate) => candidate.component === component)?.access?.limits(principal).hidden ?? none
}

const none: ReadonlySet<string> = new Set()
