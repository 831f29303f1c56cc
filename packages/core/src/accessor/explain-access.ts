import type { Decision } from '../access/model-access.ts'
import { type AccessOperation, accessOperations } from '../access/rule.ts'
import type { Awaitable } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import { isId } from '../model/record-id.ts'
import { allOf, equals, everything, type Filter, nothing } from '../query/filter.ts'
import { countRows } from '../query/rows.ts'
import { withinReach } from '../query/scope.ts'
import { everyTenant, type Principal } from '../session/principal.ts'
import type { BoundAccessor } from './bound-accessor.ts'

/** What is asked: may this principal do this, with any record or with the one that has this id? */
export interface AccessQuestion {
  readonly component: string
  readonly operation: AccessOperation
  readonly principal: Principal
  readonly id?: unknown
}

/** Whether, and which rule decided. */
export interface AccessAnswer {
  readonly allowed: boolean
  /** The rules that decided, as `tasks.update[1]`. */
  readonly rule: string
  /** A sentence for people. */
  readonly reason: string
  /** Fields that the principal does not see, and fields that it cannot set. */
  readonly fields: { readonly hidden: readonly string[]; readonly locked: readonly string[] }
}

/** Tells what the rules say of a caller, and why. */
export async function explainAccess(bound: BoundAccessor, question: AccessQuestion): Promise<AccessAnswer> {
  const { component } = bound
  const { principal, operation } = question
  const access = bound.accessFor(principal)
  if (!accessOperations.includes(operation))
    throw new UsageError('invalid_options', `"${String(operation)}" is no operation. There are ${accessOperations.join(', ')}.`)
  const { hidden, locked } = access?.limits({ principal }) ?? { hidden: [], locked: [] }
  const answer = (allowed: boolean, rule: string, reason: string): AccessAnswer => {
    return { allowed, rule: `${component}.${rule}`, reason, fields: { hidden: [...hidden], locked: [...locked] } }
  }
  if (bound.model.tenant && (principal.tenant ?? '') === '') return answer(false, 'tenant', 'The caller belongs to no tenant.')
  const decisions = access && { read: access.decide('read', { principal }), asked: access.decide(operation, { principal }) }
  if (decisions?.asked.filter === nothing) return answer(false, decisions.asked.rule, refusal(decisions.asked, operation))
  const rule = decisions?.asked.rule ?? 'no rules: every principal may do everything'
  if (question.id === undefined || operation === 'create') {
    const some = decisions && decisions.asked.filter !== everything
    return answer(true, rule, some ? 'The rules allow it for the records that hold their condition.' : 'The rules allow it.')
  }
  const holds = await recordHolds(bound, question)
  if (!holds.exists) return answer(false, rule, 'There is no such record.')
  if (!holds.tenant) return answer(false, 'tenant', 'The record belongs to another tenant.')
  if (!holds.read)
    return answer(
      false,
      decisions?.read.rule ?? rule,
      'The record does not hold the condition for reading, so it is not there for the caller.',
    )
  if (!holds.asked) return answer(false, rule, `The record does not hold the condition under which the caller may ${operation} it.`)
  return answer(true, rule, 'The record holds the condition.')
}

function refusal({ rule }: Decision, operation: AccessOperation): string {
  return rule === `no scope for ${operation}`
    ? `The scopes of the caller name no ${operation} of these records.`
    : `The rules let the caller ${operation} none of these records.`
}

interface Holds {
  readonly exists: boolean
  readonly tenant: boolean
  readonly read: boolean
  readonly asked: boolean
}

async function recordHolds(bound: BoundAccessor, { principal, operation, id }: AccessQuestion): Promise<Holds> {
  const { model, table, units } = bound
  const access = bound.accessFor(principal)
  if (!isId(model, id)) return { exists: false, tenant: false, read: false, asked: false }
  const own = equals(model.id.name, model.id.normalise(id))
  const tenant = principal.tenant === everyTenant ? undefined : principal.tenant
  const asker = { principal, tenant: tenant ? String(tenant) : null, access: 'caller' as const }
  const may = (asked: AccessOperation): Filter => withinReach(access?.decide(asked, { principal }).filter ?? everything, asker)
  const holds = (filter: Filter, held: boolean): Awaitable<boolean> => {
    const caller = { access: 'system' as const, ...(held && tenant ? { tenant: String(tenant) } : {}) }
    return units.read(caller, function* (connection, context) {
      return (yield* countRows(table, connection, context, { filter, includeDeleted: true })) > 0
    })
  }
  return {
    exists: await holds(own, false),
    tenant: await holds(own, true),
    read: await holds(allOf(own, may('read')), true),
    asked: await holds(allOf(own, may(operation)), true),
  }
}
