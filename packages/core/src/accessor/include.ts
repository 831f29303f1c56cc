import type { ConditionLink } from '../access/record-condition.ts'
import type { Connection } from '../engine/engine.ts'
import { InvalidQueryError } from '../errors.ts'
import { includeName } from '../model/include-name.ts'
import type { AnyModel } from '../model/model.ts'
import type { FieldValues } from '../query/bound-table.ts'
import { oneOf } from '../query/filter.ts'
import { selectRows } from '../query/rows.ts'
import type { CallerContext } from '../session/context.ts'
import type { ReadOptions } from '../session/options.ts'
import type { Task } from '../session/task.ts'
import type { BoundAccessor, Link } from './bound-accessor.ts'
import { viewFor, withoutHidden } from './permit.ts'

/** Something to read along with records. */
export interface Inclusion {
  readonly name: string
  readonly link: Link
  /** `one`: the record that a reference leads to. `many`: the records that point here. */
  readonly side: 'one' | 'many'
}

/** The links of an open storage stay as they are, and every request for a list asks for them. */
const known = new WeakMap<BoundAccessor, ReadonlyMap<string, Inclusion>>()

/** Everything that can be included in the records of an accessor, by name. */
function inclusionsOf(bound: BoundAccessor): ReadonlyMap<string, Inclusion> {
  const inclusions = known.get(bound) ?? findInclusions(bound)
  known.set(bound, inclusions)
  return inclusions
}

function findInclusions(bound: BoundAccessor): ReadonlyMap<string, Inclusion> {
  const inclusions = new Map<string, Inclusion>()
  for (const link of bound.references.filter(isOpen))
    add(inclusions, { name: includeName(link.field, link.target.model), link, side: 'one' })
  const referrers = bound.referrers.filter(isOpen)
  for (const link of referrers) {
    const siblings = referrers.filter((other) => other.source === link.source)
    const name = siblings.length === 1 ? link.source.component : `${link.source.component}_by_${link.field.name}`
    add(inclusions, { name, link, side: 'many' })
  }
  return inclusions
}

/** What is read along by a secret reference would tell its value. */
function isOpen({ field }: Link): boolean {
  return !field.secret
}

/** A reference that the caller may not read leads nowhere for it. */
function isSecretFor({ source, field }: Link, caller: ReadOptions): boolean {
  return viewFor(source, source.units.callerOf(caller)).fieldsByName.get(field.name)?.secret !== false
}

/** What a rule's condition can follow by a name. */
export function conditionLink(bound: BoundAccessor, name: string): ConditionLink | undefined {
  const inclusion = inclusionsOf(bound).get(name)
  if (!inclusion) return undefined
  const { side, link } = inclusion
  const [source, target] = [link.source.table, link.target.table]
  return side === 'one'
    ? { field: link.field.name, table: target, tableField: target.model.id.name }
    : { field: target.model.id.name, table: source, tableField: link.field.name }
}

/** An inclusion as callers see it: its name, the model of what is read along, and whether that is one record or many. */
export interface NamedInclusion {
  readonly name: string
  readonly model: AnyModel
  readonly side: 'one' | 'many'
}

/** What `include` can name. */
/** What a caller can follow. */
function openInclusions(bound: BoundAccessor, caller: ReadOptions): Inclusion[] {
  return [...inclusionsOf(bound).values()].filter(({ link }) => !isSecretFor(link, caller))
}

export function namedInclusions(bound: BoundAccessor, caller: ReadOptions = {}): NamedInclusion[] {
  return openInclusions(bound, caller).map(({ name, side, link }) => {
    return { name, side, model: (side === 'one' ? link.target : link.source).model }
  })
}

/** A name that a field, or another inclusion, has already is left to it. */
function add(inclusions: Map<string, Inclusion>, inclusion: Inclusion): void {
  const home = inclusion.side === 'one' ? inclusion.link.source : inclusion.link.target
  if (!inclusions.has(inclusion.name) && !home.model.fieldsByName.has(inclusion.name)) inclusions.set(inclusion.name, inclusion)
}

/** Reads an `include`. Throws InvalidQueryError for a name that leads nowhere. */
export function parseInclude(
  bound: BoundAccessor,
  { include, ...caller }: ReadOptions & { readonly include?: Readonly<Record<string, unknown>> | undefined },
): Inclusion[] {
  const asked = Object.entries(include ?? {}).filter(([, wanted]) => wanted !== undefined && wanted !== false)
  if (asked.length === 0) return []
  const inclusions = new Map(openInclusions(bound, caller).map((inclusion) => [inclusion.name, inclusion]))
  return asked.flatMap(([name, wanted]) => {
    const inclusion = inclusions.get(name)
    if (inclusion && wanted === true) return [inclusion]
    const names = [...inclusions.keys()].join(', ')
    throw new InvalidQueryError(
      `${bound.component} cannot include "${name}". ${names ? `It can include ${names}.` : 'It is linked to nothing.'}`,
    )
  })
}

/**
 * Reads what is to be included, with one statement for each name however many records there are, and hangs it into them.
 *
 * @param atMost so many records that point here may be read along under one name; any number where it is left out
 */
export function* includeRows(
  connection: Connection,
  context: CallerContext,
  records: readonly FieldValues[],
  { inclusions, includeAtMost: atMost }: { readonly inclusions: readonly Inclusion[]; readonly includeAtMost: number | undefined },
): Task<void> {
  for (const inclusion of inclusions) {
    if (inclusion.side === 'one') yield* includeOne(connection, context, records, inclusion)
    else yield* includeMany(connection, context, records, inclusion, atMost)
  }
}

function* includeOne(
  connection: Connection,
  context: CallerContext,
  records: readonly FieldValues[],
  { name, link }: Inclusion,
): Task<void> {
  const { field, target } = link
  const idName = target.model.id.name
  const found = new Map<unknown, FieldValues>()
  const ids = distinct(records.map((record) => record[field.name]))
  for (const row of yield* selectLinked(target, connection, context, idName, ids)) found.set(row[idName], row)
  withoutHidden(target, context, [...found.values()])
  for (const record of records) record[name] = found.get(record[field.name]) ?? null
}

function* includeMany(
  connection: Connection,
  context: CallerContext,
  records: readonly FieldValues[],
  { name, link }: Inclusion,
  atMost: number | undefined,
): Task<void> {
  const { field, source, target } = link
  const idName = target.model.id.name
  const byParent = new Map<unknown, FieldValues[]>(records.map((record) => [record[idName], []]))
  const rows = yield* selectLinked(source, connection, context, field.name, [...byParent.keys()], atMost)
  if (atMost !== undefined && rows.length > atMost) throw tooMany(name, link, records.length, atMost)
  for (const row of rows) byParent.get(row[field.name])?.push(row)
  for (const children of byParent.values()) withoutHidden(source, context, children)
  for (const record of records) record[name] = byParent.get(record[idName]) ?? []
}

function tooMany(name: string, { field, source }: Link, records: number, atMost: number): InvalidQueryError {
  const fewer = records > 1 ? 'Ask for fewer records at a time, or list' : 'List'
  return new InvalidQueryError(
    `"${name}" in include would read along more than ${atMost} records. ${fewer} ${source.component} page by page, with a condition on ${field.name}.`,
  )
}

function distinct(ids: readonly unknown[]): unknown[] {
  return [...new Set(ids)].filter((id) => id !== null && id !== undefined)
}

/**
 * Live records whose field is one of the values. Those of one value are in the order of their ids: so they stand in the index that every
 * reference has, where a statement with a limit ends when it has found enough. One more than `atMost` tells that there are too many.
 */
function* selectLinked(
  bound: BoundAccessor,
  connection: Connection,
  context: CallerContext,
  field: string,
  values: readonly unknown[],
  atMost?: number,
): Task<FieldValues[]> {
  const { table } = bound
  const order = [...new Set([field, table.model.id.name])].map((name) => ({ field: name, descending: false, uniform: true }))
  const rows: FieldValues[] = []
  // As many values as one statement may have; a page never comes near.
  const most = table.engine.capabilities.maxParameters - 100
  for (let start = 0; start < values.length; start += most) {
    const filter = oneOf(field, values.slice(start, start + most))
    const limit = atMost === undefined ? undefined : atMost + 1 - rows.length
    if (limit === 0) break
    // Not all at once as arguments: the stack has room for some ten thousands.
    for (const row of yield* selectRows(table, connection, context, { filter, includeDeleted: false, order, limit })) rows.push(row)
  }
  return rows
}
