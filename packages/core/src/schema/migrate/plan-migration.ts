import type { AnyModel, Field } from '../../model/model.ts'
import { reverseChanges, type TableChanges } from '../change/table-changes.ts'
import { definitionOf } from '../definition/definition-of.ts'
import type { FieldDefinition, TableDefinition } from '../definition/table-definition.ts'
import { changesOf, missingSentence, renameSentences, type SchemaDiff, type TableDiff } from '../diff/schema-diff.ts'
import { inReferenceOrder } from '../wanted-table.ts'
import { SourceText } from './source-text.ts'

/** A call of the schema editor, as a migration has it. */
export interface Step {
  readonly method: 'createTable' | 'dropTable' | 'renameTable' | 'alterTable'
  readonly args: readonly unknown[]
  /** Why it is there, and what may stand against it. */
  readonly comments: readonly string[]
}

/** What a migration does, and what takes it back. */
export interface MigrationPlan {
  readonly up: readonly Step[]
  readonly down: readonly Step[]
  /** What no migration does. */
  readonly impossible: readonly string[]
}

/** Plans a migration that makes away with all differences. */
export function planMigration(diff: SchemaDiff): MigrationPlan {
  const pairs = [
    ...diff.tables.flatMap(renameTable),
    ...createTables(inReferenceOrder(diff.missing)),
    ...diff.tables.flatMap(alterTable),
    ...diff.leftover.map(dropTable),
  ]
  return {
    up: pairs.map(({ up }) => up),
    down: pairs.map(({ down }) => down).toReversed(),
    impossible: diff.tables.flatMap(({ differences }) =>
      differences.filter(({ effect }) => effect === 'impossible').map(({ sentence }) => sentence),
    ),
  }
}

interface Pair {
  readonly up: Step
  readonly down: Step
}

function step(method: Step['method'], args: readonly unknown[], comments: readonly string[] = []): Step {
  return { method, args, comments }
}

function renameTable(table: TableDiff): Pair[] {
  const { model, renamedFrom } = table
  if (renamedFrom === undefined) return []
  const [sentence = ''] = renameSentences(table)
  return [{ up: step('renameTable', [renamedFrom, model.name], [sentence]), down: step('renameTable', [model.name, renamedFrom]) }]
}

/** Tables that point to each other are made first, and get their references afterwards. */
function createTables(models: readonly AnyModel[]): Pair[] {
  const later = models.map((model, index) => ({
    model,
    definition: definitionOf(model),
    unmade: new Set(models.slice(index + 1).map(({ name }) => name)),
  }))
  const isLater = (field: FieldDefinition, unmade: ReadonlySet<string>): boolean => !!field.references && unmade.has(field.references.table)
  const made = later.map(({ model, definition, unmade }): Pair => {
    const fields = Object.entries(definition.fields).map(([name, field]) => [
      name,
      isLater(field, unmade) ? withoutReference(field) : field,
    ])
    const bare: TableDefinition = { ...definition, fields: Object.fromEntries(fields) }
    return { up: step('createTable', [model.name, bare], [missingSentence(model)]), down: step('dropTable', [model.name]) }
  })
  const linked = later.flatMap(({ model, definition, unmade }): Pair[] => {
    const fields = Object.entries(definition.fields).filter(([, field]) => isLater(field, unmade))
    if (fields.length === 0) return []
    const changes: TableChanges = {
      changeFields: Object.fromEntries(fields.map(([name, field]) => [name, { from: withoutReference(field), to: field }])),
    }
    return [{ up: step('alterTable', [model.name, changes]), down: step('alterTable', [model.name, reverseChanges(changes)]) }]
  })
  return [...made, ...linked]
}

function withoutReference({ references: _references, ...field }: FieldDefinition): FieldDefinition {
  return field
}

function alterTable(table: TableDiff): Pair[] {
  const { model, renameFields, differences } = table
  const asked = changesOf(table, ['safe', 'migration', 'leftover'])
  const changes: TableChanges = { ...(Object.keys(renameFields).length > 0 && { renameFields }), ...asked }
  if (Object.keys(changes).length === 0) return []
  const [, ...fieldRenames] = table.renamedFrom === undefined ? ['', ...renameSentences(table)] : renameSentences(table)
  const comments = [
    ...fieldRenames,
    ...differences.flatMap((difference) => (difference.effect === 'impossible' ? [] : [difference.sentence])),
  ]
  const written = { ...changes, ...(changes.addFields && { addFields: withFills(model, changes.addFields) }) }
  return [
    {
      up: step('alterTable', [model.name, written], [...comments, ...advice(changes)]),
      down: step('alterTable', [model.name, reverseChanges(changes)]),
    },
  ]
}

/** Stamps of records that were made before: nobody knows better than the moment of the migration. */
function withFills(model: AnyModel, added: NonNullable<TableChanges['addFields']>): Readonly<Record<string, unknown>> {
  const isMoment = (field: Field | undefined): boolean => field?.role === 'createdAt' || field?.role === 'updatedAt'
  return Object.fromEntries(
    Object.entries(added).map(([name, field]) => [
      name,
      isMoment(model.fieldsByName.get(name)) ? { ...field, fill: new SourceText('new Date().toISOString()') } : field,
    ]),
  )
}

/** What can stand against the changes, and what to write then. */
function advice({ addFields = {}, changeFields = {}, dropFields = {}, addIndexes = [] }: TableChanges): string[] {
  const lines: string[] = []
  const demanding = Object.entries(addFields).filter(([, field]) => !field.nullable && (field.fill ?? null) === null)
  if (demanding.length > 0) lines.push('A new field without null is refused while there are records: say what they get, fill: …')
  if (Object.values(changeFields).some(({ from, to }) => from.nullable && !to.nullable)) {
    lines.push('Where records have null, they need something instead: fill: …')
  }
  if (Object.values(changeFields).some(({ from, to }) => from.type !== to.type)) {
    lines.push('Values that cannot become the new type without a loss are refused, with their number: convert: (value) => …')
  }
  if (Object.keys(dropFields).length > 0)
    lines.push('A field that goes is refused while records have values in it: discard: true lets them go.')
  if (addIndexes.some(({ unique }) => unique)) lines.push('A unique index is refused while records have the same values.')
  if (Object.values(changeFields).some(({ from, to }) => to.references && from.references?.table !== to.references.table)) {
    lines.push('A reference is refused while records point to nothing.')
  }
  return lines
}

function dropTable({ name, definition }: SchemaDiff['leftover'][number]): Pair {
  const comments = [`Table ${name} is of no model any more. It is refused while it has records: { discard: true } lets them go.`]
  return { up: step('dropTable', [name], comments), down: step('createTable', [name, definition]) }
}
