import type { Engine } from '../engine/engine.ts'
import { SchemaMismatchError } from '../errors.ts'
import type { AnyModel } from '../model/model.ts'
import { tableDifferences } from './compare.ts'
import { checkSystemVersion, isUnsettled, SystemState, settleLog, systemModels, upgradeSystemTables } from './system-tables.ts'
import { createStatements, inReferenceOrder, wantedTable } from './wanted-table.ts'

/**
 * Makes the tables that are missing (where that is wanted) and holds all of them against the models.
 * @throws SchemaMismatchError with a sentence for each difference; nothing has been changed then
 */
export async function prepareSchema(
  engine: Engine,
  models: readonly AnyModel[],
  options: { readonly createTables: boolean },
): Promise<void> {
  await prepareTables(engine, models, options)
  // A backup of a database where entries wait for their seal has some that still do.
  if (engine.capabilities.serialWrites && (await engine.read((connection) => isUnsettled(engine, connection))))
    await engine.define((connection) => settleLog(engine, connection))
}

async function prepareTables(engine: Engine, models: readonly AnyModel[], options: { readonly createTables: boolean }): Promise<void> {
  if (!options.createTables) {
    const differences = await engine.read((connection) => schemaDifferences(engine, connection, models))
    if (differences.length > 0) throw new SchemaMismatchError([...differences, 'Open with createTables: true to make what is missing.'])
    return
  }
  // Most starts find everything in place, and then there is no need to wait for writers.
  if ((await engine.read((connection) => schemaDifferences(engine, connection, models))).length === 0) return
  await engine.define(async (connection) => {
    await upgradeSystemTables(engine, connection)
    const before = new Set((await engine.inspect(connection)).map((table) => table.name))
    const missing = inReferenceOrder(models).filter((model) => !before.has(model.name))
    for (const statement of createStatements(missing, engine)) await connection.run({ sql: statement, parameters: [] })
    const differences = await schemaDifferences(engine, connection, models)
    if (differences.length > 0) throw new SchemaMismatchError(differences)
  })
}

/** How the tables that stand in the database differ from what the models say: a sentence for each. */
export async function schemaDifferences(
  engine: Engine,
  connection: Parameters<Engine['inspect']>[0],
  models: readonly AnyModel[],
): Promise<string[]> {
  const live = new Map((await engine.inspect(connection)).map((table) => [table.name, table]))
  const system = live.has(SystemState.name) ? await checkSystemVersion(engine, connection) : []
  return [...system, ...[...systemModels, ...models].flatMap((model) => tableDifferences(wantedTable(model, engine), live.get(model.name)))]
}
