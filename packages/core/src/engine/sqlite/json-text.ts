import { type Expression, sql } from 'kysely'
import type { FieldKind } from '../../model/model.ts'
import type { StoredKind } from '../engine.ts'
import type { JsonFunctions } from '../json-functions.ts'
import { decimalFunction, instantFunction, numberFunction } from './own-functions.ts'

const numberName = sql.raw(numberFunction)
const instantName = sql.raw(instantFunction)
const decimalName = sql.raw(decimalFunction)

/** Integers beyond these are other numbers in JavaScript. */
const [lowest, highest] = [sql.lit(Number.MIN_SAFE_INTEGER), sql.lit(Number.MAX_SAFE_INTEGER)]

/** An instant as it is written here, by its length and two letters: other programs may have written one otherwise. */
const instantForm = sql.lit('??????????T????????????Z')

type Spelling = (column: Expression<unknown>) => Expression<unknown>

const asIs: Spelling = (column) => column

/**
 * SQLite writes text as JSON.stringify does. Its reals have other digits, JSON that stands in a column may have other spaces and keys, and it knows no
 * base64: those have no entry.
 */
const spellings: Partial<Record<Exclude<FieldKind, 'decimal'>, Spelling>> = {
  text: asIs,
  uuid: asIs,
  date: asIs,
  integer: (column) => sql`case when ${column} not between ${lowest} and ${highest} then json(${numberName}(${column})) else ${column} end`,
  boolean: (column) => sql`case when ${column} is null then null when ${column} = 1 then json('true') else json('false') end`,
  int64: (column) => sql`cast(${column} as text)`,
  datetime: (column) => sql`case when ${column} glob ${instantForm} or ${column} is null then ${column} else ${instantName}(${column}) end`,
}

/** Scaled integers that have no more digits than a decimal may; beyond them `abs` has an end. */
const mostScaled = 10n ** 18n - 1n

function decimalSpelling(scale: number): Spelling {
  if (scale === 0) return (column) => sql`cast(${column} as text)`
  const one = sql.raw(String(10n ** BigInt(scale)))
  const form = sql.lit(`%s%d.%0${scale}d`)
  const most = sql.raw(String(mostScaled))
  return (column) => {
    const sign = sql`case when ${column} < 0 then '-' else '' end`
    const text = sql`printf(${form}, ${sign}, abs(${column}) / ${one}, abs(${column}) % ${one})`
    const other = sql`${decimalName}(cast(${column} as text), ${sql.lit(scale)})`
    return sql`case when ${column} between -${most} and ${most} then ${text} when ${column} is null then null else ${other} end`
  }
}

function spellingOf({ kind, scale = 0 }: StoredKind): Spelling | undefined {
  return kind === 'decimal' ? decimalSpelling(scale) : spellings[kind]
}

export const jsonFunctions: JsonFunctions = {
  value: (field, column) => spellingOf(field)?.(column),
  // A function takes 1,000 arguments (https://sqlite.org/limits.html), of which each member is two.
  mostMembers: 500,
  object: (members) => sql<string>`json_object(${sql.join(members.flatMap(([name, value]) => [sql.lit(name), value]))})`,
  // A subquery with a LIMIT is answered row by row, in its order.
  list: (objects) => sql<string | null>`group_concat(${objects})`,
}
