import { UsageError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import { suggestion } from '../model/nearest-name.ts'
import { isPlainObject } from '../model/plain-object.ts'
import type { RowOf } from '../model/row-types.ts'
import { type AccessOperation, accessOperations, type FieldRule, type Rule } from './rule.ts'

/** Who may do what with the records of a model. What no rule allows is denied. */
export interface AccessRules<Model extends AnyModel = AnyModel> extends Partial<Readonly<Record<AccessOperation, Rule<Model>>>> {
  /** Holds for every operation that has no rule of its own. */
  readonly all?: Rule<Model>
  /** Fields that not everybody who reads a record may read, or who writes it may set; a field without rules follows its record. */
  readonly fields?: { readonly [Name in keyof RowOf<Model>]?: FieldRules }
}

export interface FieldRules {
  readonly read?: FieldRule
  readonly write?: FieldRule
}

/** The rules of one model. Made by `defineAccess`. */
export interface Access<Model extends AnyModel = AnyModel> {
  readonly model: Model
  readonly rules: ReadRules
}

/** Rules whose model is not known by its types. */
export interface ReadRules extends Partial<Readonly<Record<AccessOperation | 'all', Rule>>> {
  readonly fields?: Readonly<Record<string, FieldRules | undefined>>
}

const ruleNames = [...accessOperations, 'all', 'fields']

/**
 * Says who may do what with the records of a model. The rules hold for callers with a `principal`, on every path, and become conditions
 * of the SQL; code that names no principal acts for itself.
 *
 * @throws UsageError `invalid_definition` for rules that cannot be
 * @example
 * const taskAccess = defineAccess(Task, {
 *   read: ['admin', (principal) => ({ owner_id: principal.id as number })],
 *   create: 'member',
 *   update: ['admin', (principal) => ({ linked: { project: { owner_id: principal.id } } })],
 *   fields: { salary: { read: 'admin', write: 'admin' } },
 * })
 * await openStorage({ url, accessors: [tasks], access: [taskAccess] })
 */
export function defineAccess<Model extends AnyModel>(model: Model, rules: AccessRules<Model>): Access<Model> {
  const fault = (message: string): never => {
    throw new UsageError('invalid_definition', `Access to "${model.name}": ${message}.`)
  }
  // What a class or prototype brings along, nobody reads where the rules are written.
  if (!isPlainObject(rules)) fault('the rules are an object of operations')
  for (const [name, rule] of Object.entries(rules)) {
    if (!ruleNames.includes(name)) fault(`"${name}" is no operation.${suggestion(name, ruleNames)} There are ${ruleNames.join(', ')}`)
    if (name !== 'fields' && rule !== undefined && !isRule(rule))
      fault(`${name} is true, false, a role, a condition, a function, or a list of these`)
  }
  // The functions are called with records of this model only.
  const given = rules as unknown as ReadRules
  for (const [name, fieldRules] of Object.entries(given.fields ?? {})) {
    const field = model.fieldsByName.get(name)
    if (!field || field.hidden) fault(`fields names "${name}", which the model does not have`)
    if (fieldRules !== undefined && !isPlainObject(fieldRules)) fault(`fields.${name} is an object with read, write`)
    for (const [kind, rule] of Object.entries(fieldRules ?? {})) {
      if (kind !== 'read' && kind !== 'write') fault(`fields.${name} has "${kind}"; there are read, write`)
      if (rule !== undefined && !isRule(rule)) fault(`fields.${name}.${kind} is true, false, a role, a function, or a list of these`)
    }
    if (field?.role === 'id' && fieldRules?.read !== undefined) fault(`fields.${name} is the id, which whoever reads a record reads`)
  }
  return Object.freeze({ model, rules: frozen(given) })
}

function isRule(rule: unknown): boolean {
  if (Array.isArray(rule)) return rule.every(isRule)
  // A role without a name is a variable that was not set.
  if (typeof rule === 'string') return rule !== ''
  return typeof rule === 'boolean' || typeof rule === 'function' || isPlainObject(rule)
}

/** A copy that nobody changes later, and that inherits nothing. */
function frozen<Value>(value: Value): Value {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen)) as Value
  if (!isPlainObject(value)) return value
  // The same members as before.
  const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozen(member)])) as Value & object
  return Object.freeze(Object.setPrototypeOf(copy, null)) as Value
}
