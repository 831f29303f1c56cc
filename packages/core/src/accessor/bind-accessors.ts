import type { Access } from '../access/define-access.ts'
import { ModelAccess } from '../access/model-access.ts'
import { type FindLink, readRecordCondition } from '../access/record-condition.ts'
import { type AuditWriter, auditSubject } from '../audit/record-change.ts'
import type { Engine } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import type { Once } from '../idempotency/once.ts'
import type { AnyModel } from '../model/model.ts'
import { BoundTable } from '../query/bound-table.ts'
import { everything, type Filter } from '../query/filter.ts'
import type { CallerContext } from '../session/context.ts'
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
        const { engine, units, audit, once, maxRecords } = binding
        const table = new BoundTable(model, engine)
        const subject = auditSubject(component, table)
        const access = accessOf(model, binding.access, bound)
        if (access) table.readable = (caller) => readableRecords(access, caller)
        const insides = { model, component, hooks, table, units, audit, once, subject, access, maxRecords, references: [], referrers: [] }
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

function readableRecords(access: ModelAccess, { principal, memory, access: mode }: CallerContext): Filter {
  return principal && mode !== 'system' ? access.decide('read', { principal, memory }).filter : everything
}

/** What no rule allows is denied: where there are any rules, a model without rules is closed. */
function accessOf(model: AnyModel, access: Binding['access'], bound: ReadonlyMap<AnyModel, BoundAccessor>): ModelAccess | undefined {
  if (!access) return undefined
  const rules = access.find((candidate) => candidate.model === model)?.rules ?? {}
  const findLink: FindLink = (from, name) => {
    const home = bound.get(from)
    return home && conditionLink(home, name)
  }
  return new ModelAccess(model, rules, (condition) => readRecordCondition(model, condition, findLink))
}
