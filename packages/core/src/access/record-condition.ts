import { InvalidQueryError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { allOf, type Filter } from '../query/filter.ts'
import { parseWhere } from '../query/where.ts'

/** A link between the records of two models: the own field, and the table and field that it is found in. */
export interface ConditionLink {
  readonly field: string
  readonly table: BoundTable
  readonly tableField: string
}

/** Finds what a model is linked with by the name that `include` has for it. */
export type FindLink = (model: AnyModel, name: string) => ConditionLink | undefined

/**
 * Turns the condition that a rule answered into a filter. Undefined where it compares with null or undefined: a caller without an id owns
 * nothing, least of all what belongs to nobody. Throws InvalidQueryError for what the model does not have.
 */
export function readRecordCondition(model: AnyModel, condition: object, findLink: FindLink): Filter | undefined {
  return hasGap(condition) ? undefined : readCondition(model, asObject(condition), findLink)
}

function hasGap(condition: unknown): boolean {
  if (condition === undefined || condition === null) return true
  if (Array.isArray(condition)) return condition.some(hasGap)
  const isPlain = typeof condition === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(condition))
  return isPlain && Object.values(condition).some(hasGap)
}

function readCondition(model: AnyModel, condition: Readonly<Record<string, unknown>>, findLink: FindLink): Filter {
  const { linked, and, or, not, ...fields } = condition
  const parts: Filter[] = [parseWhere(model, fields)]
  const inner = (part: unknown): Filter => readCondition(model, asObject(part), findLink)
  if (and !== undefined) parts.push({ type: 'and', parts: asList(and).map(inner) })
  if (or !== undefined) parts.push({ type: 'or', parts: asList(or).map(inner) })
  if (not !== undefined) parts.push({ type: 'not', part: inner(not) })
  for (const [name, other] of Object.entries(asObject(linked ?? {}))) {
    const link = findLink(model, name)
    if (!link) throw new InvalidQueryError(`${model.name} is linked with nothing by the name "${name}".`)
    parts.push({ type: 'linked', ...link, filter: readCondition(link.table.model, asObject(other), findLink) })
  }
  return allOf(...parts)
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>
  throw new InvalidQueryError('A condition is an object of fields and values.')
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new InvalidQueryError('"and" and "or" take a list of conditions.')
}
