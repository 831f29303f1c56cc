import { InvalidQueryError } from '../errors.ts'
import type { AnyModel, Field } from '../model/model.ts'
import { everything, type Filter, nothing } from '../query/filter.ts'
import { Memory } from '../session/memory.ts'
import type { Principal } from '../session/principal.ts'
import { ConditionCache } from './condition-cache.ts'
import type { FieldRules, ReadRules } from './define-access.ts'
import { type AccessOperation, askRule, type NamedRule, nameRule, type Verdict } from './rule.ts'
import { isInScope } from './scopes.ts'

/** Whether a principal may do something: with every record, with none, or with those that hold a condition. */
export interface Decision {
  readonly filter: Filter
  /** The rules that decided, for `explainAccess`. */
  readonly rule: string
}

/** Who asks, and the call, unit or request that it asks in: what the rules said is remembered as long as that lives, and no longer. */
export interface Asker {
  readonly principal: Principal
  readonly memory?: Memory | undefined
}

/** Fields that a principal may not read, or not set. */
export interface FieldLimits {
  readonly hidden: ReadonlySet<string>
  readonly locked: ReadonlySet<string>
}

/** What the rules of one model said: a request asks the same more than once. The principal's own object may live for long, and change. */
interface Answers {
  readonly decisions: Partial<Record<AccessOperation, Decision>>
  limits: FieldLimits | undefined
}

function newAnswers(): Answers {
  return { decisions: {}, limits: undefined }
}

const noLimits: FieldLimits = { hidden: new Set(), locked: new Set() }

/** The rules of one model in an open storage. */
export class ModelAccess {
  readonly #model: AnyModel
  readonly #component: string
  readonly #rules: ReadRules
  readonly #named = new Map<AccessOperation, NamedRule>()
  readonly #fieldRules: readonly NamedFieldRules[]
  readonly #conditions: ConditionCache
  readonly #views = new Map<string, AnyModel>()
  readonly #inputs = new Map<string, AnyModel>()

  /** @param read turns a condition of a rule into a filter; undefined for one that holds for nothing */
  constructor(
    { model, component }: { readonly model: AnyModel; readonly component: string },
    rules: ReadRules,
    read: (condition: object) => Filter | undefined,
  ) {
    this.#model = model
    this.#component = component
    this.#rules = rules
    this.#fieldRules = Object.entries(rules.fields ?? {}).map(nameFieldRules)
    this.#conditions = new ConditionCache((condition) => read(condition) ?? nothing)
  }

  /** Which records the principal may do this with. */
  decide(asked: AccessOperation, { principal, memory = new Memory() }: Asker): Decision {
    // Where nothing is kept there is one way of deleting.
    const operation = asked === 'purge' && !this.#model.deletedAt ? 'delete' : asked
    if (!isInScope(principal, this.#component, operation)) return { filter: nothing, rule: `no scope for ${operation}` }
    const said = memory.of(this, newAnswers)
    said.decisions[operation] ??= this.#ask(operation, principal)
    return said.decisions[operation]
  }

  #ask(operation: AccessOperation, principal: Principal): Decision {
    const named = this.#ruleOf(operation)
    const verdicts = askRule(named, principal, this.#readOf)
    if (verdicts.length === 0) {
      const missing = this.#rules[operation] === undefined && this.#rules.all === undefined
      return { filter: nothing, rule: missing ? `no rule for ${operation}` : `${named.name} allows it to nobody like this` }
    }
    const [only] = verdicts
    if (only && verdicts.length === 1) return { filter: asFilter(only.allowed), rule: only.rule }
    const rule = verdicts.map((verdict) => verdict.rule).join(', ')
    return { filter: { type: 'or', parts: verdicts.map(({ allowed }) => asFilter(allowed)) }, rule }
  }

  /** Its names are put together once. */
  #ruleOf(operation: AccessOperation): NamedRule {
    const known = this.#named.get(operation)
    if (known) return known
    const own = this.#rules[operation]
    const named = own === undefined ? nameRule('all', this.#rules.all ?? false) : nameRule(operation, own)
    this.#named.set(operation, named)
    return named
  }

  /** Reads the conditions that stand in the rules themselves. Throws TypeError for one that cannot be. */
  check(): void {
    const visit = (name: string, rule: unknown): void => {
      if (Array.isArray(rule)) for (const [index, member] of rule.entries()) visit(`${name}[${index}]`, member)
      else if (typeof rule === 'object' && rule !== null) this.#readOf(rule, name)
    }
    for (const [name, rule] of Object.entries(this.#rules)) if (name !== 'fields') visit(name, rule)
  }

  /** A condition that cannot be is a fault of the rule, and none of whoever asks. */
  readonly #readOf = (condition: object, rule: string): Filter => {
    try {
      return this.#conditions.read(condition)
    } catch (error) {
      if (!(error instanceof InvalidQueryError)) throw error
      throw new TypeError(`The rule ${this.#model.name}.${rule} has a condition that cannot be: ${error.message}`, { cause: error })
    }
  }

  /** Which fields the principal may not read, or not set. */
  limits({ principal, memory = new Memory() }: Asker): FieldLimits {
    if (!this.#rules.fields) return noLimits
    const said = memory.of(this, newAnswers)
    said.limits ??= this.#askLimits(principal)
    return said.limits
  }

  #askLimits(principal: Principal): FieldLimits {
    const closed = (kind: 'read' | 'write'): Set<string> =>
      new Set(this.#fieldRules.flatMap((rules) => (mayUse(rules[kind], principal) ? [] : [rules.field])))
    const hidden = closed('read')
    // Whoever may not see a field cannot know what to set, unless it is said.
    const locked = new Set([...closed('write'), ...[...hidden].filter((name) => this.#rules.fields?.[name]?.write === undefined)])
    return { hidden, locked }
  }

  /** The model as the principal knows it: a field that it may not read is like a secret one, which nobody can ask for. */
  viewFor(asker: Asker): AnyModel {
    const { hidden } = this.limits(asker)
    if (hidden.size === 0) return this.#model
    const key = [...hidden].sort().join()
    const view = this.#views.get(key) ?? viewWithout(this.#model, hidden)
    this.#views.set(key, view)
    return view
  }

  /** The model as the principal may write it: a field that it may neither read nor set is not there. */
  inputFor(asker: Asker): AnyModel {
    const { hidden, locked } = this.limits(asker)
    const absent = [...hidden].filter((name) => locked.has(name)).sort()
    if (absent.length === 0) return this.#model
    const key = absent.join()
    const fields = this.#model.fields.filter(({ name }) => !absent.includes(name))
    const input = this.#inputs.get(key) ?? { ...this.#model, fields, fieldsByName: new Map(fields.map((field) => [field.name, field])) }
    this.#inputs.set(key, input)
    return input
  }
}

function asFilter(allowed: Verdict<Filter>['allowed']): Filter {
  if (typeof allowed !== 'boolean') return allowed
  return allowed ? everything : nothing
}

/** The rules of one field. */
interface NamedFieldRules {
  readonly field: string
  readonly read: NamedRule | undefined
  readonly write: NamedRule | undefined
}

function nameFieldRules([field, rules]: readonly [string, FieldRules | undefined]): NamedFieldRules {
  const named = (kind: 'read' | 'write'): NamedRule | undefined => {
    const rule = rules?.[kind]
    return rule === undefined ? undefined : nameRule(`fields.${field}.${kind}`, rule)
  }
  return { field, read: named('read'), write: named('write') }
}

function mayUse(rule: NamedRule | undefined, principal: Principal): boolean {
  if (rule === undefined) return true
  const noCondition = (): never => {
    throw new TypeError(`The rule ${rule.name} answered a condition; a field has the same rule in every record.`)
  }
  return askRule(rule, principal, noCondition).length > 0
}

function viewWithout(model: AnyModel, hidden: ReadonlySet<string>): AnyModel {
  // The values of references are getters, which a copy by spreading would ask for.
  const closed = (field: Field): Field => Object.create(field, { secret: { value: true, enumerable: true } })
  const fields = model.fields.map((field) => (hidden.has(field.name) ? closed(field) : field))
  return { ...model, fields, fieldsByName: new Map(fields.map((field) => [field.name, field])) }
}
