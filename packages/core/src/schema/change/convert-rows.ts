import type { ColumnDefinition } from '../../engine/engine.ts'
import { accepted, type Conversion } from '../../model/value-types/conversion.ts'
import { valueTypeOf } from '../../model/value-types/of-kind.ts'
import { columnOf } from '../definition/definition-of.ts'
import type { FieldDefinition } from '../definition/table-definition.ts'
import { type Asked, refusal } from './guards.ts'

/** Rows that are read at a time. */
const piece = 1_000

/** A column whose values get another type. */
export interface ConvertedColumn {
  readonly name: string
  readonly from: FieldDefinition
  readonly to: FieldDefinition
  readonly convert: Conversion
  /** The column that gets the new values. */
  readonly into: string
}

/** Writes the values of a column into another one, as values of another type. Refuses what does not fit, with its number. */
export async function convertRows(asked: Asked, id: ColumnDefinition, column: ConvertedColumn): Promise<void> {
  const { engine, connection, table, idName } = asked
  const [source, target] = [columnOf(column.name, column.from), columnOf(column.into, column.to)]
  const [reading, writing] = [engine.codec(source), engine.codec(target)]
  const taken = valueTypeOf(column.to)
  let refused = 0
  const examples: string[] = []
  for (let after: unknown; ; ) {
    const rows = engine.builder.selectFrom(table).select([idName, column.name]).where(column.name, 'is not', null)
    const next = (after === undefined ? rows : rows.where(idName, '>', after)).orderBy(idName).limit(piece)
    const found = await connection.all(next.compile())
    const pairs: [unknown, unknown][] = []
    for (const row of found) {
      const value = accepted(column.convert(reading.decode(row[column.name])), taken)
      if (value !== undefined) pairs.push([row[idName], writing.encode(value)])
      else if (refused++ < 5) examples.push(String(row[idName]))
    }
    if (refused === 0 && pairs.length > 0) await engine.setColumn(connection, { table, id, column: target }, pairs)
    if (found.length < piece) break
    after = found.at(-1)?.[idName]
  }
  if (refused === 0) return
  const values = refused === 1 ? 'one record has a value' : `${refused} records have values`
  throw refusal(
    `${table}.${column.name} cannot become ${column.to.type}: ${values} that ${refused === 1 ? 'is' : 'are'} none. Mend them first, or say how with convert.`,
    idName,
    examples,
  )
}
