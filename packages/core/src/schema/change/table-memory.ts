import type { Connection, Engine } from '../../engine/engine.ts'
import { makeRowVersion } from '../../model/row-version.ts'
import type { TableDefinition } from '../definition/table-definition.ts'
import { TableRecords } from '../table-records.ts'

type Parts = readonly [engine: Engine, connection: Pick<Connection, 'all' | 'run'>]

/** What is remembered of tables, by their names. */
export async function readMemory(engine: Engine, connection: Pick<Connection, 'all'>): Promise<Map<string, TableDefinition>> {
  const query = engine.builder.selectFrom(TableRecords.name).select(['name', 'definition'])
  const rows = await connection.all(query.compile())
  const { decode } = engine.codec({ kind: 'json' })
  // The library wrote it itself.
  return new Map(rows.map((row) => [String(row['name']), decode(row['definition']) as TableDefinition]))
}

/** Remembers a table as it is now. */
export async function remember([engine, connection]: Parts, name: string, definition: TableDefinition): Promise<void> {
  const values = {
    definition: engine.codec({ kind: 'json' }).encode(definition),
    changed_at: engine.codec({ kind: 'datetime' }).encode(new Date()),
    row_version: makeRowVersion(),
  }
  const save = engine.builder
    .insertInto(TableRecords.name)
    .values({ name, ...values })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
  await connection.run(save.compile())
}

/** Forgets a table that is no more, or is called otherwise now. */
export async function forget([engine, connection]: Parts, name: string): Promise<void> {
  await connection.run(engine.builder.deleteFrom(TableRecords.name).where('name', '=', name).compile())
}

/** Whether two definitions say the same. */
export function isSameDefinition(one: TableDefinition | undefined, other: TableDefinition | undefined): boolean {
  return canonical(one) === canonical(other)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
}
