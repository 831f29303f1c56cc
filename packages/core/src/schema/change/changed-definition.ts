import type { FieldDefinition, TableDefinition } from '../definition/table-definition.ts'
import type { TableChanges } from './table-changes.ts'

/** A table after changes of its fields and indexes; renames are done before. */
export function changedDefinition(definition: TableDefinition, changes: TableChanges): TableDefinition {
  const dropped = new Set(Object.keys(changes.dropFields ?? {}))
  const kept = Object.entries(definition.fields).filter(([name]) => !dropped.has(name))
  const changed = kept.map(([name, field]) => [name, changes.changeFields?.[name]?.to ?? field] as const)
  const added = Object.entries(changes.addFields ?? {}).map(([name, { fill: _fill, ...field }]): [string, FieldDefinition] => [name, field])
  const key = (fields: readonly string[], unique = false): string => `${unique} ${fields.join()}`
  const gone = new Set((changes.dropIndexes ?? []).map(({ fields, unique }) => key(fields, unique)))
  const indexes = [
    ...(definition.indexes ?? []).filter(
      ({ fields, unique }) => !gone.has(key(fields, unique)) && !fields.some((name) => dropped.has(name)),
    ),
    ...(changes.addIndexes ?? []),
  ]
  return { id: definition.id, fields: Object.fromEntries([...changed, ...added]), ...(indexes.length > 0 && { indexes }) }
}
