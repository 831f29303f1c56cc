import type { Connection, Engine, TableShape } from '../../engine/engine.ts'
import type { AnyModel } from '../../model/model.ts'
import { mergeChanges, type TableChanges } from '../change/table-changes.ts'
import { isSameDefinition, readMemory } from '../change/table-memory.ts'
import { definitionOf } from '../definition/definition-of.ts'
import type { TableDefinition } from '../definition/table-definition.ts'
import { checkSystemVersion, SystemState, systemModels } from '../system-tables.ts'
import { TableRecords } from '../table-records.ts'
import { compareTable } from './compare-table.ts'
import type { Difference } from './difference.ts'
import { liveDefinition } from './live-definition.ts'
import { formerTable, renamedColumns, renamedDefinition, renamedShape } from './renames.ts'

/** A table that stands and is another one than its model wants. */
export interface TableDiff {
  readonly model: AnyModel
  /** What it is called now, where that was declared to be an old name. */
  readonly renamedFrom: string | undefined
  readonly renameFields: Readonly<Record<string, string>>
  readonly differences: readonly Difference[]
}

/** How a database differs from models. */
export interface SchemaDiff {
  /** Tables that there are not yet. */
  readonly missing: readonly AnyModel[]
  readonly tables: readonly TableDiff[]
  /** Tables that this library made, and that no model has any more. */
  readonly leftover: readonly { readonly name: string; readonly definition: TableDefinition }[]
  /** What is wrong with the library's own tables. */
  readonly system: readonly string[]
  /** Tables whose definition is not remembered as it is. */
  readonly unremembered: readonly AnyModel[]
}

/** Holds the tables that stand against models. */
export async function diffSchema(engine: Engine, connection: Pick<Connection, 'all'>, models: readonly AnyModel[]): Promise<SchemaDiff> {
  const live = new Map((await engine.inspect(connection)).map((table) => [table.name, table]))
  const memory = live.has(TableRecords.name) ? await readMemory(engine, connection) : new Map<string, TableDefinition>()
  const renames = declaredRenames(models, live)
  const tables = models.flatMap((model): TableDiff[] => {
    const found = live.get(model.name) ?? formerTable(model, live)
    if (!found) return []
    const remembered = memory.get(found.name)
    const differences = compareTable(
      model,
      renamedShape(found, renames),
      remembered && renamedDefinition(found.name, remembered, renames),
      engine,
    )
    const columns = renames.get(found.name)?.columns ?? new Map<string, string>()
    const renamedFrom = found.name === model.name ? undefined : found.name
    return [{ model, renamedFrom, renameFields: Object.fromEntries(columns), differences }]
  })
  const known = new Set([...models.map(({ name }) => name), ...renames.keys()])
  return {
    missing: models.filter((model) => !live.has(model.name) && !formerTable(model, live)),
    tables,
    leftover: leftoverTables(live, memory, known, engine),
    system: await systemDifferences(engine, connection, live),
    unremembered: models.filter((model) => !isSameDefinition(memory.get(model.name), definitionOf(model))),
  }
}

function declaredRenames(
  models: readonly AnyModel[],
  live: ReadonlyMap<string, TableShape>,
): Map<string, { readonly name: string; readonly columns: ReadonlyMap<string, string> }> {
  const renames = new Map<string, { readonly name: string; readonly columns: ReadonlyMap<string, string> }>()
  for (const model of models) {
    const found = live.get(model.name) ?? formerTable(model, live)
    if (!found) continue
    const columns = renamedColumns(model, found)
    if (found.name !== model.name || columns.size > 0) renames.set(found.name, { name: model.name, columns })
  }
  return renames
}

function leftoverTables(
  live: ReadonlyMap<string, TableShape>,
  memory: ReadonlyMap<string, TableDefinition>,
  known: ReadonlySet<string>,
  engine: Engine,
): SchemaDiff['leftover'] {
  return [...live.values()].flatMap((table) => {
    const remembered = memory.get(table.name)
    if (!remembered || known.has(table.name)) return []
    return [{ name: table.name, definition: liveDefinition(table, remembered, engine) ?? remembered }]
  })
}

async function systemDifferences(
  engine: Engine,
  connection: Pick<Connection, 'all'>,
  live: ReadonlyMap<string, TableShape>,
): Promise<string[]> {
  const version = live.has(SystemState.name) ? await checkSystemVersion(engine, connection) : []
  const tables = systemModels.flatMap((model) => {
    const found = live.get(model.name)
    if (!found) return [missingSentence(model)]
    return compareTable(model, found, undefined, engine)
      .filter(({ effect }) => effect !== 'leftover')
      .map(({ sentence }) => sentence)
  })
  return [...version, ...tables]
}

export function missingSentence(model: Pick<AnyModel, 'name'>): string {
  return `Table ${model.name} does not exist.`
}

/** What keeps a table from being read by its model. That it takes less than the model is of no account then. */
export function unreadable(model: AnyModel, live: TableShape | undefined, engine: Engine): string[] {
  if (!live) return [missingSentence(model)]
  const matters = ({ effect, changes }: Difference): boolean => effect !== 'leftover' && !(effect === 'safe' && changes.changeFields)
  return compareTable(model, live, undefined, engine)
    .filter(matters)
    .map(({ sentence }) => sentence)
}

/** Sentences about what was declared to be called otherwise. */
export function renameSentences({ model, renamedFrom, renameFields }: TableDiff): string[] {
  return [
    ...(renamedFrom === undefined ? [] : [`Table ${model.name} is called ${renamedFrom}; the model says that it was renamed.`]),
    ...Object.entries(renameFields).map(([from, to]) => `${model.name}.${to} is called ${from}; the model says that it was renamed.`),
  ]
}

/** What keeps the database from serving the models, a sentence for each. */
export function blocking({ system, missing, tables }: SchemaDiff): string[] {
  return [
    ...system,
    ...missing.map(missingSentence),
    ...tables.flatMap((table) => [
      ...renameSentences(table),
      ...table.differences.filter(({ effect }) => effect !== 'leftover').map(({ sentence }) => sentence),
    ]),
  ]
}

/** What no start makes away with by itself. */
export function needingMigration({ tables }: SchemaDiff): string[] {
  return tables.flatMap((table) => [
    ...renameSentences(table),
    ...table.differences.filter(({ effect }) => effect === 'migration' || effect === 'impossible').map(({ sentence }) => sentence),
  ])
}

/** What is there and no model asks for. */
export function leftovers({ tables, leftover }: SchemaDiff): string[] {
  return [
    ...tables.flatMap(({ differences }) => differences.filter(({ effect }) => effect === 'leftover').map(({ sentence }) => sentence)),
    ...leftover.map(({ name }) => `Table ${name} is of no model any more.`),
  ]
}

/** The changes of one table that have one of these effects. */
export function changesOf({ differences }: TableDiff, effects: readonly Difference['effect'][]): TableChanges {
  return mergeChanges(differences.filter(({ effect }) => effects.includes(effect)).map(({ changes }) => changes))
}
