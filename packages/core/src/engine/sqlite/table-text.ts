import type { ReferenceShape } from '../engine.ts'
import { splitAtCommas, type Token, TokenReader, tokensOf } from './sql-tokens.ts'

/** A column as the text of its table says it. */
export interface ColumnText {
  readonly name: string
  /** All that stands of it. */
  readonly text: string
  /** The values of a CHECK that lists them. */
  readonly allowed: readonly (string | number)[] | undefined
  readonly hasDefault: boolean
  readonly notNull: boolean
  readonly reference: ReferenceShape | undefined
  /** Something stands there that this library does not write: a COLLATE, another CHECK, what is computed. */
  readonly strange: boolean
}

/** A constraint of the whole table. */
export interface ConstraintText {
  readonly text: string
  readonly reference: ReferenceShape | undefined
}

/** What the text of a table says; SQLite's pragmas tell no CHECK and no name of a reference. */
export interface TableText {
  readonly columns: readonly ColumnText[]
  readonly constraints: readonly ConstraintText[]
  /** What stands after the parentheses, e.g. `STRICT`. */
  readonly options: string
  /** It holds nothing but what this library writes: no expression that somebody else thought of. */
  readonly plain: boolean
}

const tableConstraints = ['CONSTRAINT', 'PRIMARY', 'UNIQUE', 'CHECK', 'FOREIGN']

/** Reads a CREATE TABLE as SQLite keeps it; undefined for one that defines no columns. */
export function readTableText(sql: string): TableText | undefined {
  const tokens = tokensOf(sql)
  const reader = new TokenReader(tokens)
  if (!reader.takes('CREATE', 'TABLE')) return undefined
  if (reader.takeName() === undefined) return undefined
  const body = reader.takeGroup()
  if (!body) return undefined
  const after = reader.peek()
  const options = after ? sql.slice(after.start).trim() : ''
  const columns: ColumnText[] = []
  const constraints: ConstraintText[] = []
  for (const part of splitAtCommas(body)) {
    const [first, last] = [part[0], part.at(-1)]
    if (!first || !last) return undefined
    const text = sql.slice(first.start, last.end)
    if (first.kind === 'word' && tableConstraints.includes(first.value.toUpperCase())) {
      constraints.push({ text, reference: readReference(new TokenReader(part)) })
    } else columns.push(readColumn(part, text))
  }
  const plain =
    options.toUpperCase() === 'STRICT' && columns.every(({ strange }) => !strange) && constraints.every(({ reference }) => reference)
  return { columns, constraints, options, plain }
}

function readColumn(tokens: readonly Token[], text: string): ColumnText {
  const reader = new TokenReader(tokens)
  const name = reader.takeName() ?? ''
  const type = reader.peek()?.kind === 'word' ? reader.takeName() : undefined
  let strange = type === undefined || !['TEXT', 'INTEGER', 'INT', 'REAL', 'BLOB'].includes(type.toUpperCase())
  let allowed: readonly (string | number)[] | undefined
  let reference: ReferenceShape | undefined
  let hasDefault = false
  let notNull = false
  while (!reader.atEnd) {
    const named = reader.takes('CONSTRAINT') ? reader.takeName() : undefined
    if (reader.takes('NOT', 'NULL')) notNull = true
    else if (reader.takes('PRIMARY', 'KEY', 'AUTOINCREMENT') || reader.takes('PRIMARY', 'KEY')) continue
    else if (reader.takes('CHECK')) {
      const check = reader.takeGroup() ?? []
      const values = readList(name, check) ?? readComparisons(name, check)
      if (!values || allowed) strange = true
      allowed ??= values
    } else if (reader.takes('DEFAULT')) {
      hasDefault = true
      if (!takeLiteral(reader)) strange = true
    } else if (reader.takes('REFERENCES')) {
      reference = readTarget(reader, name, named)
      if (!reference) strange = true
    } else {
      strange = true
      reader.take()
    }
  }
  return { name, text, allowed, hasDefault, notNull, reference, strange }
}

/** `"role" IN ('admin', 'operator')`. */
function readList(column: string, tokens: readonly Token[]): readonly (string | number)[] | undefined {
  const reader = new TokenReader(tokens)
  if (reader.takeName() !== column || !reader.takes('IN')) return undefined
  const group = reader.takeGroup()
  if (!group || !reader.atEnd) return undefined
  const values: (string | number)[] = []
  for (const part of splitAtCommas(group)) {
    const value = literalOf(part)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

/** `"role" = 'admin' OR "role" = 'operator'`. */
function readComparisons(column: string, tokens: readonly Token[]): readonly (string | number)[] | undefined {
  const reader = new TokenReader(tokens)
  const values: (string | number)[] = []
  do {
    if (reader.takeName() !== column || !reader.takes('=')) return undefined
    const value = literalOf(takeUntilOr(reader))
    if (value === undefined) return undefined
    values.push(value)
  } while (reader.takes('OR'))
  return values
}

function takeUntilOr(reader: TokenReader): readonly Token[] {
  const taken: Token[] = []
  for (let token = reader.peek(); token; token = reader.peek()) {
    if (token.kind === 'word' && token.value.toUpperCase() === 'OR') break
    taken.push(token)
    reader.take()
  }
  return taken
}

function literalOf(tokens: readonly Token[]): string | number | undefined {
  const [first, second, ...more] = tokens
  if (!first || more.length > 0) return undefined
  if (!second) return first.kind === 'text' ? first.value : first.kind === 'number' ? Number(first.value) : undefined
  return first.value === '-' && second.kind === 'number' ? -Number(second.value) : undefined
}

function takeLiteral(reader: TokenReader): boolean {
  if (reader.takes('-')) return reader.take()?.kind === 'number'
  const token = reader.take()
  return token?.kind === 'text' || token?.kind === 'number' || token?.value.toUpperCase() === 'NULL'
}

/** `CONSTRAINT "a__b__fkey" FOREIGN KEY ("b") REFERENCES "c" ("id")`; undefined for any other constraint. */
function readReference(reader: TokenReader): ReferenceShape | undefined {
  const named = reader.takes('CONSTRAINT') ? reader.takeName() : undefined
  if (!reader.takes('FOREIGN', 'KEY')) return undefined
  const source = new TokenReader(reader.takeGroup() ?? [])
  const column = source.takeName()
  if (column === undefined || !source.atEnd || !reader.takes('REFERENCES')) return undefined
  const reference = readTarget(reader, column, named)
  return reader.atEnd ? reference : undefined
}

function readTarget(reader: TokenReader, column: string, named: string | undefined): ReferenceShape | undefined {
  const table = reader.takeName()
  if (table === undefined) return undefined
  const group = reader.takeGroup()
  const target = new TokenReader(group ?? [])
  const targetColumn = target.takeName() ?? ''
  return target.atEnd ? { ...(named !== undefined && { name: named }), column, table, targetColumn } : undefined
}
