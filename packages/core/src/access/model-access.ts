import type { AnyModel, Field } from '../model/model.ts'
import { everything, type Filter, nothing } from '../query/filter.ts'
import type { Principal } from '../session/principal.ts'
import type { ReadRules } from './define-access.ts'
import { type AccessOperation, askRule, type FieldRule, type Verdict } from './rule.ts'

/** Whether a principal may do something: with every record, with none, or with those that hold a condition. */
export interface Decision {
  readonly filter: Filter
  /** The rules that decided, for `explainAccess`. */
  readonly rule: string
}

/** Fields that a principal may not read, or not set. */
export interface FieldLimits {
  readonly hidden: ReadonlySet<string>
  readonly locked: ReadonlySet<string>
}

/** The rules of one model in an open storage. */
export class ModelAccess {
  readonly #model: AnyModel
  readonly #rules: ReadRules
  readonly #read: (condition: object) => Filter | undefined
  /** A request asks the same more than once, and its principal is one object. */
  readonly #decisions = new WeakMap<Principal, Map<AccessOperation, Decision>>()
  readonly #limits = new WeakMap<Principal, FieldLimits>()
  readonly #views = new Map<string, AnyModel>()

  /** @param read turns a condition of a rule into a filter; undefined for one that holds for nothing */
  constructor(model: AnyModel, rules: ReadRules, read: (condition: object) => Filter | undefined) {
    this.#model = model
    this.#rules = rules
    this.#read = read
  }

  /** Which records the principal may do this with. */
  decide(asked: AccessOperation, principal: Principal): Decision {
    // Where nothing is kept there is one way of deleting.
    const operation = asked === 'purge' && !this.#model.deletedAt ? 'delete' : asked
    const known = this.#decisions.get(principal) ?? new Map<AccessOperation, Decision>()
    this.#decisions.set(principal, known)
    const decision = known.get(operation) ?? this.#ask(operation, principal)
    known.set(operation, decision)
    return decision
  }

  #ask(operation: AccessOperation, principal: Principal): Decision {
    const own = this.#rules[operation]
    const name = own === undefined ? 'all' : operation
    const verdicts = askRule(name, own ?? this.#rules.all ?? false, principal, (condition) => this.#read(condition) ?? nothing)
    if (verdicts.length === 0) {
      const missing = own === undefined && this.#rules.all === undefined
      return { filter: nothing, rule: missing ? `no rule for ${operation}` : `${name} allows it to nobody like this` }
    }
    const rule = verdicts.map((verdict) => verdict.rule).join(', ')
    const filters = verdicts.map(({ allowed }) => asFilter(allowed))
    const [first = nothing] = filters
    return { filter: filters.length === 1 ? first : { type: 'or', parts: filters }, rule }
  }

  /** Which fields the principal may not read, or not set. */
  limits(principal: Principal): FieldLimits {
    const known = this.#limits.get(principal)
    if (known) return known
    const closed = (kind: 'read' | 'write'): Set<string> => {
      const fields = Object.entries(this.#rules.fields ?? {})
      return new Set(fields.filter(([name, rules]) => !mayUse(`fields.${name}.${kind}`, rules?.[kind], principal)).map(([name]) => name))
    }
    const hidden = closed('read')
    // Whoever may not see a field cannot know what to set, unless it is said.
    const locked = new Set([...closed('write'), ...[...hidden].filter((name) => this.#rules.fields?.[name]?.write === undefined)])
    const limits = { hidden, locked }
    this.#limits.set(principal, limits)
    return limits
  }

  /** The model as the principal knows it: a field that it may not read is like a secret one, which nobody can ask for. */
  viewFor(principal: Principal): AnyModel {
    const { hidden } = this.limits(principal)
    if (hidden.size === 0) return this.#model
    const key = [...hidden].sort().join()
    const view = this.#views.get(key) ?? viewWithout(this.#model, hidden)
    this.#views.set(key, view)
    return view
  }
}

function asFilter(allowed: Verdict<Filter>['allowed']): Filter {
  if (typeof allowed !== 'boolean') return allowed
  return allowed ? everything : nothing
}

function mayUse(name: string, rule: FieldRule | undefined, principal: Principal): boolean {
  if (rule === undefined) return true
  const noCondition = (): never => {
    throw new TypeError(`The rule ${name} answered a condition; a field has the same rule in every record.`)
  }
  return askRule(name, rule, principal, noCondition).length > 0
}

function viewWithout(model: AnyModel, hidden: ReadonlySet<string>): AnyModel {
  // The values of references are getters, which a copy by spreading would ask for.
  const closed = (field: Field): Field => Object.create(field, { secret: { value: true, enumerable: true } })
  const fields = model.fields.map((field) => (hidden.has(field.name) ? closed(field) : field))
  return { ...model, fields, fieldsByName: new Map(fields.map((field) => [field.name, field])) }
}
