import type { Compilable, Expression } from 'kysely'
import type { Statement } from '../engine/engine.ts'
import { makeRowVersion } from '../model/row-version.ts'
import { type BoundTable, encodedBy, type FieldValues } from './bound-table.ts'
import { bind, piecesOf, Slot, shapeOf } from './shape.ts'

export interface InsertOptions {
  /** They may point to each other in a circle, and then have to come in one statement, as far as one can have them all. */
  readonly together?: boolean
  /** Hands out id and version of each row. */
  readonly returning?: boolean
  /** Columns that get the answer of a SELECT without parameters in the place of a value. */
  readonly computed?: Readonly<Record<string, Expression<unknown> & Compilable>>
}

/** Some of the records to insert, and the statement that does it. */
export interface InsertPiece {
  readonly records: readonly FieldValues[]
  readonly versions: readonly string[]
  readonly statement: Statement
}

/** Rows of a statement: their texts are made in one go, which takes some milliseconds. */
export const mostAtOnce = 1_000

/** Characters of a statement's lists, or of the rows that it copies before the last one: records of large values go by statements that have fewer of them. */
export const mostCharacters = 8_388_608

const nothing = {}

/** The statements that insert these records, one after the other: each is made when the one before is done. */
export function* insertPieces(
  table: BoundTable,
  columns: readonly string[],
  records: readonly FieldValues[],
  options: InsertOptions = nothing,
): Generator<InsertPiece, void, undefined> {
  const { lists } = table.engine
  const together = options.together === true && records.length <= largestPiece(table)
  const step = lists && !together ? mostAtOnce : records.length
  for (let start = 0; start < records.length; start += step) {
    const some = records.slice(start, start + step)
    const listed = lists && some.length > 1 ? listPiece(table, columns, some, options) : undefined
    if (listed) yield listed
    else for (const piece of together ? [some] : piecesOf(some, largestPiece(table))) yield valuesPiece(table, columns, piece, options)
  }
}

/** The statement for a single record, or for a few. */
function valuesPiece(
  table: BoundTable,
  columns: readonly string[],
  records: readonly FieldValues[],
  { returning = false, computed = nothing }: InsertOptions,
): InsertPiece {
  const { model, engine } = table
  const version = model.rowVersion.name
  const shape = table.shapes.get(`insert ${columns.length} ${records.length} ${returning} ${Object.keys(computed).join()}`, () => {
    let next = 0
    const place = (name: string): unknown => {
      const slot = new Slot(next++)
      return computed[name] ?? slot
    }
    const rows = records.map(() => Object.fromEntries(columns.map((name) => [name, place(name)])))
    const query = engine.builder.insertInto(model.name).values(rows)
    return shapeOf((returning ? query.returning([model.id.name, version]) : query).compile())
  })
  const versions = records.map(() => makeRowVersion())
  const values: unknown[] = []
  const encoders = columns.map((name) => table.encoder(name))
  records.forEach((record, index) => {
    for (const [place, name] of columns.entries()) {
      values.push(name === version ? versions[index] : encodedBy(encoders[place], record[name]))
    }
  })
  return { records, versions, statement: bind(shape, values) }
}

/** Undefined where the records are too large to come in one statement. */
function listPiece(
  table: BoundTable,
  columns: readonly string[],
  records: readonly FieldValues[],
  { returning = false, computed = nothing }: InsertOptions,
): InsertPiece | undefined {
  const { model, engine } = table
  const { lists } = engine
  if (!lists) return undefined
  const version = model.rowVersion.name
  const listed = columns.filter((name) => computed[name] === undefined)
  const versions = records.map(() => makeRowVersion())
  const parameters: string[] = []
  let characters = 0
  for (const name of listed) {
    const encode = table.encoder(name)
    const list = lists.parameter(name === version ? versions : records.map((record) => encodedBy(encode, record[name])))
    parameters.push(list)
    characters += list.length
    if (characters > mostCharacters) return undefined
  }
  const shape = table.shapes.get(`insert lists ${columns.length} ${returning} ${Object.keys(computed).join()}`, () => {
    const sql = lists.statement({
      table: model.name,
      columns: model.fields
        .filter(({ name }) => listed.includes(name))
        .toSorted((one, other) => listed.indexOf(one.name) - listed.indexOf(other.name)),
      computed: Object.fromEntries(Object.entries(computed).map(([name, select]) => [name, select.compile().sql])),
      returning: returning ? [model.id.name, version] : [],
    })
    return shapeOf({ sql, parameters: listed.map((_, index) => new Slot(index)) })
  })
  return { records, versions, statement: bind(shape, parameters) }
}

function largestPiece(table: BoundTable): number {
  return Math.max(1, Math.floor(table.engine.capabilities.maxParameters / table.model.fields.length))
}
