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
  const memory = rows.map((row) => [String(row['name']), decode(row['definition'])] as const)
  // The library wrote it itself; but it may have come with a file from elsewhere.
  return new Map(memory.filter((entry): entry is readonly [string, TableDefinition] => isDefinition(entry[1])))
}

const kinds = new Set<unknown>(['text', 'uuid', 'integer', 'int64', 'number', 'boolean', 'decimal', 'datetime', 'date', 'json', 'bytes'])
const idKinds = new Set<unknown>(['integer', 'uuid', 'text'])

function isDefinition(value: unknown): value is TableDefinition {
  const { id, fields, indexes = [] }: { id?: unknown; fields?: unknown; indexes?: unknown } = isObject(value) ? value : {}
  if (!isObject(id) || typeof id['name'] !== 'string' || !idKinds.has(id['type']) || !isObject(fields)) return false
  return (
    Array.isArray(indexes) && indexes.every(isIndex) && Object.values(fields).every((field) => isObject(field) && kinds.has(field['type']))
  )
}

function isIndex(value: unknown): boolean {
  return isObject(value) && Array.isArray(value['fields']) && value['fields'].every((name) => typeof name === 'string')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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
