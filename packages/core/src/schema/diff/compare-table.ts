import type { TableDefiner, TableShape } from '../../engine/engine.ts'
import type { AnyModel } from '../../model/model.ts'
import type { TableDefinition } from '../definition/table-definition.ts'
import { definitionOn, tableShape } from '../wanted-table.ts'
import { compareColumn, missingColumn, surplusColumn } from './compare-columns.ts'
import { compareIndexes } from './compare-indexes.ts'
import type { Difference } from './difference.ts'

/** A table as it stands, what is remembered of it, and what it is held against. */
export interface Comparison {
  readonly model: AnyModel
  readonly engine: TableDefiner
  readonly wanted: TableShape
  readonly definition: TableDefinition
  readonly live: TableShape
  readonly remembered: TableDefinition | undefined
}

/** How a table that stands differs from what its model wants. */
export function compareTable(
  model: AnyModel,
  live: TableShape,
  remembered: TableDefinition | undefined,
  engine: TableDefiner,
): Difference[] {
  const definition = definitionOn(engine, model)
  const comparison = { model, engine, definition, live, remembered, wanted: tableShape({ name: model.name, definition }, engine) }
  return [...compareKey(comparison), ...compareColumns(comparison), ...compareIndexes(comparison)]
}

function compareKey({ wanted, live }: Comparison): Difference[] {
  if (wanted.primaryKey.join() === live.primaryKey.join()) return []
  const sentence = `The primary key of ${wanted.name} is (${live.primaryKey.join(', ')}); the model wants (${wanted.primaryKey.join(', ')}).`
  return [{ table: wanted.name, sentence, effect: 'impossible', changes: {} }]
}

function compareColumns(comparison: Comparison): Difference[] {
  const { wanted, live } = comparison
  const standing = new Map(live.columns.map((column) => [column.name, column]))
  const known = new Set(wanted.columns.map(({ name }) => name))
  return [
    ...wanted.columns.flatMap((column) => {
      const found = standing.get(column.name)
      return found ? compareColumn(comparison, column, found) : [missingColumn(comparison, column)]
    }),
    ...live.columns.filter(({ name }) => !known.has(name)).map((column) => surplusColumn(comparison, column)),
  ]
}
