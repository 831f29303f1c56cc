import { sql } from 'kysely'
import type { Connection, Engine, TableShape } from '../../engine/engine.ts'
import { inPassing } from '../../engine/passing-names.ts'
import type { TableChange } from '../../engine/table-change.ts'
import { MigrationError } from '../../errors.ts'
import { referenceName } from '../../model/constraint-names.ts'
import type { TableDefinition } from '../definition/table-definition.ts'
import { liveDefinition } from '../diff/live-definition.ts'
import { renamedDefinition, renamedIndex, type TableRenames } from '../diff/renames.ts'
import { createTableStatements } from '../wanted-table.ts'
import { alterFields } from './alter-fields.ts'
import { changeSentences } from './change-sentences.ts'
import { changedDefinition } from './changed-definition.ts'
import { checkChanges, checkDefinition } from './check-changes.ts'
import { checkFrom } from './check-from.ts'
import { refuseWhere } from './guards.ts'
import type { SchemaEditor } from './schema-editor.ts'
import type { TableChanges } from './table-changes.ts'
import { forget, readMemory, remember } from './table-memory.ts'

/** Changes tables inside a unit of `engine.define`, and remembers what became of them. */
export class TableEditor implements SchemaEditor {
  readonly #engine: Engine
  readonly #connection: Connection
  /** What was done, a sentence for each. */
  readonly done: string[] = []

  constructor(engine: Engine, connection: Connection) {
    this.#engine = engine
    this.#connection = connection
  }

  async createTable(name: string, definition: TableDefinition): Promise<void> {
    const engine = this.#engine
    checkDefinition(name, definition)
    if ((await this.#tables()).has(name)) throw refused(`There is a table ${name} already.`)
    for (const statement of createTableStatements([{ name, definition }], engine)) {
      await this.#connection.run({ sql: statement, parameters: [] })
    }
    await remember([engine, this.#connection], name, definition)
    this.done.push(`Table ${name} was made.`)
  }

  async dropTable(name: string, { discard = false }: { readonly discard?: boolean } = {}): Promise<void> {
    const { table, idName } = await this.#standing(name)
    const asked = { engine: this.#engine, connection: this.#connection, table: name, idName }
    if (!discard) {
      await refuseWhere(
        asked,
        () => sql<boolean>`1 = 1`,
        (count) =>
          `${name} has ${count === 1 ? 'one record' : `${count} records`}, which would be lost. Say { discard: true } where they may go.`,
      )
    }
    await this.#connection.run({ sql: `DROP TABLE "${table.name}"`, parameters: [] })
    await forget([this.#engine, this.#connection], name)
    this.done.push(`Table ${name} was removed.`)
  }

  async renameTable(name: string, to: string): Promise<void> {
    const tables = await this.#tables()
    if (tables.has(to)) throw refused(`${name} cannot be called ${to}: there is a table of that name.`)
    const { table } = await this.#standing(name)
    await this.#rename(table, new Map([[name, { name: to, columns: new Map() }]]))
    this.done.push(`Table ${name} was renamed to ${to}.`)
  }

  async alterTable(name: string, changes: TableChanges): Promise<void> {
    checkChanges(name, changes)
    const { renameFields = {}, ...rest } = changes
    let { table } = await this.#standing(name)
    if (Object.keys(renameFields).length > 0) {
      checkRenames(table, renameFields)
      await this.#rename(table, new Map([[name, { name, columns: new Map(Object.entries(renameFields)) }]]))
      table = (await this.#standing(name)).table
    }
    const memory = (await readMemory(this.#engine, this.#connection)).get(name)
    const definition = liveDefinition(table, memory, this.#engine)
    if (!definition) throw refused(`${name} has no id that this library knows, and cannot be changed by it.`)
    checkFrom(table, memory, rest, this.#engine)
    await alterFields({ engine: this.#engine, connection: this.#connection, table, id: definition.id }, rest)
    await remember([this.#engine, this.#connection], name, changedDefinition(definition, rest))
    this.done.push(...changeSentences(name, changes))
  }

  /** Renames a table, or columns of it, with its indexes and references; other tables follow by themselves. */
  async #rename(table: TableShape, renames: TableRenames): Promise<void> {
    const about = renames.get(table.name)
    if (!about) return
    const { name, columns } = about
    const now = (column: string): string => columns.get(column) ?? column
    const moved = table.indexes
      .map((index) => ({ from: index, to: renamedIndex(table, index, { name, now }) }))
      .filter(({ from, to }) => from.name !== to.name)
    const references = table.references.filter(
      ({ name: old, column }) => old === referenceName(table.name, column) && (name !== table.name || columns.has(column)),
    )
    const change: TableChange = {
      table: table.name,
      renameIndexes: moved.map(({ from, to }) => ({ from: from.name, to })),
      renameReferences: references.map(({ column }) => ({
        from: referenceName(table.name, column),
        to: referenceName(name, now(column)),
      })),
      renameColumns: inPassing([...columns].map(([from, to]) => ({ from, to }))),
      ...(name !== table.name && { renameTo: name }),
    }
    await this.#engine.changeTable(this.#connection, change)
    await this.#renameMemory(renames)
  }

  async #renameMemory(renames: TableRenames): Promise<void> {
    const parts = [this.#engine, this.#connection] as const
    for (const [name, definition] of await readMemory(this.#engine, this.#connection)) {
      const renamed = renamedDefinition(name, definition, renames)
      const to = renames.get(name)?.name ?? name
      if (to !== name) await forget(parts, name)
      await remember(parts, to, renamed)
    }
  }

  async #tables(): Promise<Map<string, TableShape>> {
    return new Map((await this.#engine.inspect(this.#connection)).map((table) => [table.name, table]))
  }

  async #standing(name: string): Promise<{ readonly table: TableShape; readonly idName: string }> {
    if (/^strongroom_/i.test(name)) throw refused(`${name} is a table of the library's own, which brings it up itself.`)
    const table = (await this.#tables()).get(name)
    if (!table) throw refused(`There is no table ${name}.`)
    const [idName, ...more] = table.primaryKey
    if (idName === undefined || more.length > 0) throw refused(`${name} has no primary key of one field, and cannot be changed here.`)
    return { table, idName }
  }
}

function checkRenames(table: TableShape, renames: Readonly<Record<string, string>>): void {
  const names = new Set(table.columns.map(({ name }) => name))
  for (const [from, to] of Object.entries(renames)) {
    if (!names.has(from)) throw refused(`${table.name} has no field ${from} that could be called ${to}.`)
    if (names.has(to) && renames[to] === undefined)
      throw refused(`${table.name}.${from} cannot be called ${to}: there is a field of that name.`)
  }
}

function refused(sentence: string): MigrationError {
  return new MigrationError('migration_refused', sentence)
}
