import { indexName, uniqueName } from '../../model/constraint-names.ts'
import type { SchemaObject } from './schema-objects.ts'
import { TokenReader, tokensOf } from './sql-tokens.ts'
import { readTableText } from './table-text.ts'

/**
 * The table that an object is, or is an index of, where it is written in the words that this library writes: columns of known types, lists of
 * values, foreign keys, indexes over columns. Nothing of that can do anything. Undefined for everything else.
 */
export function plainTableOf({ type, name, sql }: SchemaObject): string | undefined {
  if (sql === null) return undefined
  if (type === 'table') return readTableText(sql)?.plain ? name : undefined
  return type === 'index' ? tableOfPlainIndex(sql) : undefined
}

/** `CREATE UNIQUE INDEX "a__b__key" ON "a" ("b") WHERE "deleted_at" IS NULL`, with the name that this library gives it. */
function tableOfPlainIndex(sql: string): string | undefined {
  const reader = new TokenReader(tokensOf(sql))
  const unique = reader.takes('CREATE', 'UNIQUE', 'INDEX')
  if (!unique && !reader.takes('CREATE', 'INDEX')) return undefined
  const name = reader.takeName()
  const table = reader.takes('ON') ? reader.takeName() : undefined
  const group = reader.takeGroup() ?? []
  const isList = group.every(({ kind, value }, index) => (index % 2 === 0 ? kind === 'name' || kind === 'word' : value === ','))
  if (table === undefined || !isList) return undefined
  const columns = group.filter((_token, index) => index % 2 === 0).map(({ value }) => value)
  const names = unique ? [uniqueName(table, columns)] : [indexName(table, columns), indexName(table, columns.slice(0, -1))]
  if (name === undefined || !names.includes(name)) return undefined
  if (reader.atEnd) return table
  return reader.takes('WHERE') && reader.takeName() === 'deleted_at' && reader.takes('IS', 'NULL') && reader.atEnd ? table : undefined
}
