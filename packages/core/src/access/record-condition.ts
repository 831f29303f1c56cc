import { InvalidQueryError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import { isPlainObject } from '../model/plain-object.ts'
import type { BoundTable } from '../query/bound-table.ts'
import { allOf, everything, type Filter } from '../query/filter.ts'
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
 * Turns the condition that a rule answered into a filter. Undefined where it compares with null, undefined or NaN: a caller without an id
 * owns nothing, least of all what belongs to nobody. Throws InvalidQueryError for what the model does not have, and for what says nothing.
 */
export function readRecordCondition(model: AnyModel, condition: object, findLink: FindLink): Filter | undefined {
  return hasGap(condition) ? undefined : readCondition(model, asObject(condition), findLink)
}

function hasGap(condition: unknown): boolean {
  if (condition === undefined || condition === null || Number.isNaN(condition)) return true
  if (Array.isArray(condition)) return condition.some(hasGap)
  return isPlainObject(condition) && Object.values(condition).some(hasGap)
}

function readCondition(model: AnyModel, condition: Readonly<Record<string, unknown>>, findLink: FindLink): Filter {
  const { linked, and, or, not, ...fields } = condition
  // What says nothing holds for everything, and is rarely meant: a part that was left out.
  if (Object.keys(condition).length === 0) throw saysNothing()
  if (Object.values(fields).some((value) => isPlainObject(value) && Object.keys(value).length === 0)) throw saysNothing()
  const parts: Filter[] = [parseWhere(model, fields)]
  const inner = (part: unknown): Filter => readCondition(model, asObject(part), findLink)
  if (and !== undefined) parts.push({ type: 'and', parts: asList(and).map(inner) })
  if (or !== undefined) parts.push({ type: 'or', parts: asList(or).map(inner) })
  if (not !== undefined) parts.push({ type: 'not', part: inner(not) })
  const links = linked === undefined ? [] : Object.entries(asObject(linked))
  if (linked !== undefined && links.length === 0) throw saysNothing()
  for (const [name, other] of links) {
    const link = findLink(model, name)
    if (!link) throw new InvalidQueryError(`${model.name} is linked with nothing by the name "${name}".`)
    const { deletedAt } = link.table.model
    // Deleted records link nothing.
    const live: Filter = deletedAt ? { type: 'null', field: deletedAt.name, negated: false } : everything
    parts.push({ type: 'linked', ...link, filter: allOf(live, readCondition(link.table.model, asObject(other), findLink)) })
  }
  return allOf(...parts)
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (isPlainObject(value)) return value
  throw new InvalidQueryError('A condition is an object of fields and values.')
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value
  throw new InvalidQueryError('"and" and "or" take a list of conditions.')
}

function saysNothing(): InvalidQueryError {
  return new InvalidQueryError(
    'A condition of a rule that says nothing would hold for every record. Where that is meant, the rule is true.',
  )
}
