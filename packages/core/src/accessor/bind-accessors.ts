import type { Access } from '../access/define-access.ts'
import { ModelAccess } from '../access/model-access.ts'
import { type FindLink, readRecordCondition } from '../access/record-condition.ts'
import type { ChangeSource } from '../audit/change-events.ts'
import type { Moments } from '../audit/moments.ts'
import { type AuditWriter, auditSubject } from '../audit/record-change.ts'
import type { Engine } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import type { Once } from '../idempotency/once.ts'
import type { AnyModel } from '../model/model.ts'
import { BoundTable } from '../query/bound-table.ts'
import { everything, type Filter } from '../query/filter.ts'
import type { CallerContext } from '../session/context.ts'
import type { Principal } from '../session/principal.ts'
import type { Units } from '../session/units.ts'
import { bindAccessor, type ModelAccessor } from './accessor.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'
import { conditionLink } from './include.ts'
import { linkAll } from './references.ts'

/** What accessors stand on in a storage. */
export interface Binding {
  readonly engine: Engine
  readonly units: Units
  readonly audit: AuditWriter
  readonly moments: Moments
  readonly feed: ChangeSource
  readonly erasures: BoundTable
  readonly once: Once
  /** The rules; undefined where there are none at all. */
  readonly access: readonly Access[] | undefined
  readonly maxRecords: number | undefined
}

type Bound = BoundAccessor & { references: Link[]; referrers: Link[] }

/** Binds accessors to an open storage, all or none. */
export function bindAccessors(accessors: readonly ModelAccessor<AnyModel>[], binding: Binding): readonly BoundAccessor[] {
  const bound = new Map<AnyModel, Bound>()
  const done: ModelAccessor<AnyModel>[] = []
  try {
    for (const accessor of accessors) {
      accessor[bindAccessor]((hooks) => {
        const { model, component } = accessor
        const { engine, units, audit, moments, feed, erasures, once, maxRecords } = binding
        const table = new BoundTable(model, engine)
        const subject = auditSubject(component, table)
        const access = accessOf(accessor, binding.access, bound)
        const open = new ModelAccess(accessor, { all: true }, () => everything)
        // Scopes narrow a caller also where there are no rules.
        const accessFor = (principal: Principal): ModelAccess | undefined => access ?? (principal.scopes ? open : undefined)
        table.readable = (caller) => readableRecords(accessFor, caller)
        const insides = {
          model,
          component,
          hooks,
          table,
          units,
          audit,
          moments,
          feed,
          erasures,
          once,
          subject,
          access,
          accessFor,
          maxRecords,
          references: [],
          referrers: [],
        }
        bound.set(model, insides)
        return insides
      })
      done.push(accessor)
    }
  } catch (error) {
    for (const accessor of done) accessor[bindAccessor](undefined)
    throw error
  }
  linkAll(bound)
  try {
    for (const { access } of bound.values()) access?.check()
  } catch (error) {
    for (const accessor of done) accessor[bindAccessor](undefined)
    throw new UsageError('invalid_definition', error instanceof Error ? error.message : String(error), { cause: error })
  }
  return [...bound.values()]
}

function readableRecords(accessFor: BoundAccessor['accessFor'], { principal, memory, access: mode }: CallerContext): Filter {
  if (!principal || mode === 'system') return everything
  return accessFor(principal)?.decide('read', { principal, memory }).filter ?? everything
}

/** What no rule allows is denied: where there are any rules, a model without rules is closed. */
function accessOf(
  accessor: ModelAccessor<AnyModel>,
  access: Binding['access'],
  bound: ReadonlyMap<AnyModel, BoundAccessor>,
): ModelAccess | undefined {
  const { model } = accessor
  if (!access) return undefined
  const rules = access.find((candidate) => candidate.model === model)?.rules ?? {}
  const findLink: FindLink = (from, name) => {
    const home = bound.get(from)
    return home && conditionLink(home, name)
  }
  return new ModelAccess(accessor, rules, (condition) => readRecordCondition(model, condition, findLink))
}
