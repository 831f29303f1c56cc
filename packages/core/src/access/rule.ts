import { isPromise } from '../engine/is-promise.ts'
import type { AnyModel } from '../model/model.ts'
import { isPlainObject } from '../model/plain-object.ts'
import type { Where } from '../query/where.ts'
import type { Principal } from '../session/principal.ts'

/** What rules are about. `purge` is deleting for good, also what is not soft-deleted first. */
export type AccessOperation = 'read' | 'create' | 'update' | 'delete' | 'restore' | 'purge'

export const accessOperations = ['read', 'create', 'update', 'delete', 'restore', 'purge'] as const satisfies readonly AccessOperation[]

/** A condition on records: a `where`, also through references. */
export type RecordCondition<Model extends AnyModel = AnyModel> = Where<Model> & {
  /** Conditions on linked records by the names that `include` has for them; of several that point here, one has to hold it. */
  readonly linked?: { readonly [name: string]: Readonly<Record<string, unknown>> }
}

/**
 * Who may do something: everybody or nobody, those with a role, whoever any rule of a list says, everybody with the records that hold a
 * condition, or what a function of the principal answers: whether, or for which records. Nobody without an id is asked a function about.
 */
export type Rule<Model extends AnyModel = AnyModel> =
  | boolean
  | string
  | readonly Rule<Model>[]
  | RecordCondition<Model>
  | ((principal: Principal) => boolean | RecordCondition<Model>)

/** Who may read or set a field, whatever the record. */
export type FieldRule = boolean | string | readonly FieldRule[] | ((principal: Principal) => boolean)

/** What becomes of a request, and why. */
export interface Verdict<Condition> {
  /** Whether, or for which records. */
  readonly allowed: boolean | Condition
  /** The rule that decided: `update[1]`. */
  readonly rule: string
}

/** A rule, and a list's rules in it, with the names that they are known by. */
export interface NamedRule {
  readonly name: string
  readonly rule: unknown
  /** The rules of a list. */
  readonly members: readonly NamedRule[] | undefined
  /** What decides, where it is a role. */
  readonly byRole: string
}

/** Names a rule, and the rules in it. */
export function nameRule(name: string, rule: unknown): NamedRule {
  const members = Array.isArray(rule) ? rule.map((member, index) => nameRule(`${name}[${index}]`, member)) : undefined
  // a condition may be an object without a prototype, which is no text
  return { name, rule, members, byRole: typeof rule === 'string' ? `${name}: role ${rule}` : name }
}

/** Asks a rule. A list is asked in its order: the first that allows everything decides; else its conditions count together. */
export function askRule<Condition>(
  { name, rule, members, byRole }: NamedRule,
  principal: Principal,
  read: (condition: object, name: string) => Condition,
): Verdict<Condition>[] {
  if (members) return askList(members, principal, read)
  if (typeof rule === 'boolean') return rule ? [{ allowed: true, rule: name }] : []
  if (typeof rule === 'string') return hasRole(principal, rule) ? [{ allowed: true, rule: byRole }] : []
  if (typeof rule === 'object' && rule !== null) return [{ allowed: read(rule, name), rule: name }]
  // What a function makes of an id that is null, nobody foresees.
  if (typeof rule !== 'function' || principal.id === null) return []
  const answer: unknown = rule(principal)
  if (typeof answer === 'boolean') return answer ? [{ allowed: true, rule: name }] : []
  // Anything else would be a hole: a promise has no fields, and a condition without fields holds for every record.
  if (isPlainObject(answer)) return [{ allowed: read(answer, name), rule: name }]
  // Nobody waits for the promise, and it may reject.
  if (isPromise(answer)) Promise.resolve(answer).catch(() => undefined)
  const what = isPromise(answer) ? 'a promise; rules cannot wait' : 'neither true, false nor a condition'
  throw new TypeError(`The rule ${name} answered ${what}.`)
}

function askList<Condition>(
  members: readonly NamedRule[],
  principal: Principal,
  read: (condition: object, name: string) => Condition,
): Verdict<Condition>[] {
  let found: Verdict<Condition>[] = []
  for (const member of members) {
    const verdicts = askRule(member, principal, read)
    if (verdicts.length === 0) continue
    const whole = verdicts.find(({ allowed }) => allowed === true)
    if (whole) return [whole]
    found = found.length === 0 ? verdicts : [...found, ...verdicts]
  }
  return found
}

/** Whether a principal has a role, as it is written. Throws TypeError for roles that are no list: "admin" stands in "no-admin", too. */
export function hasRole({ roles }: Principal, role: string): boolean {
  if (roles === undefined || roles === null) return false
  if (!Array.isArray(roles)) throw new TypeError("The roles of a principal are a list: roles: ['admin'].")
  return roles.includes(role)
}
