import type { Connection, Engine } from '../engine/engine.ts'
import { readMemory } from './change/table-memory.ts'
import { liveDefinition } from './diff/live-definition.ts'
import { TableRecords } from './table-records.ts'
import { forAnyEngine, type NamedTable } from './wanted-table.ts'

/**
 * The tables that stand, as they are, whatever the models want; those that this library could not have made are left out. Where one type
 * stands for several kinds of values, the database's memory tells which it is, and what is wanted where it remembers nothing. They can be made on any engine.
 */
export async function standingTables(
  engine: Engine,
  connection: Pick<Connection, 'all'>,
  wanted: readonly NamedTable[],
): Promise<NamedTable[]> {
  const tables = await engine.inspect(connection)
  const remembers = tables.some(({ name }) => name === TableRecords.name)
  const memory = remembers ? await readMemory(engine, connection) : new Map<string, never>()
  const wantedByName = new Map(wanted.map((table) => [table.name, table]))
  return tables.flatMap((table) => {
    const { definition: wantedNow, overlapIndexes = [] } = wantedByName.get(table.name) ?? {}
    const definition = liveDefinition(table, memory.get(table.name) ?? wantedNow, engine)
    return definition ? [forAnyEngine({ name: table.name, definition }, overlapIndexes)] : []
  })
}
