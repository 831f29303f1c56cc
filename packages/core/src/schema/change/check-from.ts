import type { TableDefiner, TableShape } from '../../engine/engine.ts'
import { MigrationError } from '../../errors.ts'
import type { FieldDefinition, TableDefinition } from '../definition/table-definition.ts'
import { liveField } from '../diff/live-definition.ts'
import { fieldWords } from './change-sentences.ts'
import type { TableChanges } from './table-changes.ts'

/** Refuses a change of a field that is not what the migration takes it for: its values would be read as something that they are not. */
export function checkFrom(
  table: TableShape,
  memory: TableDefinition | undefined,
  { changeFields }: TableChanges,
  engine: TableDefiner,
): void {
  for (const [name, { from }] of Object.entries(changeFields ?? {})) {
    const column = table.columns.find((candidate) => candidate.name === name)
    // Where nothing is remembered, a type that may be what the migration says is taken for that.
    const live = column && liveField(table, column, memory?.fields[name] ?? from, engine)
    if (!live || standing(live) === standing(from)) continue
    throw new MigrationError(
      'migration_refused',
      `${table.name}.${name} is ${fieldWords(live)}, and the migration takes it for ${fieldWords(from)}. Mend its from. Nothing was changed.`,
    )
  }
}

/** References are looked at by themselves. */
function standing({ type, nullable = false, values, precision = 18, scale = 0 }: FieldDefinition): string {
  return JSON.stringify([type, nullable, values?.toSorted(), type === 'decimal' ? [precision, scale] : []])
}
