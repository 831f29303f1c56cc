import type { ReferenceShape, TableDefiner, TableShape } from '../engine/engine.ts'
import { indexName, referenceName, uniqueName } from '../model/constraint-names.ts'
import type { AnyModel } from '../model/model.ts'

/** The table that a model wants to live in. */
export function wantedTable(model: AnyModel, engine: TableDefiner): TableShape {
  const { fields, name } = model
  return {
    name,
    columns: fields.map((field) => ({ name: field.name, type: engine.columnType(field), nullable: field.nullable })),
    primaryKey: [model.id.name],
    indexes: [
      // A deleted e-mail address can be used again: unique keys cover live records only.
      ...model.unique.map((columns) => ({
        name: uniqueName(name, columns),
        columns,
        unique: true,
        liveOnly: model.deletedAt !== undefined,
      })),
      ...model.indexes.map((columns) => ({
        name: indexName(name, columns),
        columns: withId(model, engine, columns),
        unique: false,
        liveOnly: false,
      })),
      ...referenceIndexes(model, engine),
    ],
    references: fields.flatMap((field) => {
      if (!field.reference) return []
      const target = field.reference.model()
      return [{ column: field.name, table: target.name, targetColumn: target.id.name }]
    }),
  }
}

/** Every reference has an index: deletes look for the records that point to theirs. */
function referenceIndexes(model: AnyModel, engine: TableDefiner): TableShape['indexes'] {
  const covered = new Set([...model.unique, ...model.indexes].map((columns) => columns[0]))
  return model.fields
    .filter((field) => field.reference && !covered.has(field.name))
    .map(({ name }) => ({ name: indexName(model.name, [name]), columns: withId(model, engine, [name]), unique: false, liveOnly: false }))
}

/** The id is the last key of every order: an index that ends with it gives pages without sorting, however many records share a value. */
function withId(model: AnyModel, { capabilities }: TableDefiner, columns: readonly string[]): readonly string[] {
  const there = columns.includes(model.id.name) || (capabilities.countedIdInIndexes && model.idType === 'integer')
  return there ? columns : [...columns, model.id.name]
}

/** The statements that make tables without their references: they can be filled in any order. */
export function createBareStatements(models: readonly AnyModel[], engine: TableDefiner): string[] {
  return models.flatMap((model) => tableStatements(model, engine, []))
}

/** The statements that add the references to tables that were made without them. */
export function referenceStatements(models: readonly AnyModel[], engine: TableDefiner): string[] {
  return models.flatMap((model) => wantedTable(model, engine).references.map((reference) => addReference(model, reference)))
}

/** The statements that make tables, in the order given, with their indexes and references, where they are missing. */
export function createStatements(models: readonly AnyModel[], engine: TableDefiner): string[] {
  const statements: string[] = []
  const afterwards: string[] = []
  models.forEach((model, index) => {
    const later = new Set(engine.capabilities.forwardReferences ? [] : models.slice(index + 1).map(({ name }) => name))
    const { references } = wantedTable(model, engine)
    statements.push(
      ...tableStatements(
        model,
        engine,
        references.filter(({ table }) => !later.has(table)),
      ),
    )
    for (const reference of references.filter(({ table }) => later.has(table))) {
      afterwards.push(addReference(model, reference))
    }
  })
  return [...statements, ...afterwards]
}

function tableStatements(model: AnyModel, engine: TableDefiner, references: readonly ReferenceShape[]): string[] {
  const columns = model.fields.map((field) =>
    field === model.id
      ? `${quote(field.name)} ${engine.idDefinition(field, { countedId: model.idType === 'integer' })}`
      : `${quote(field.name)} ${engine.columnDefinition(field)}`,
  )
  const live = model.deletedAt ? ` WHERE ${quote(model.deletedAt.name)} IS NULL` : ''
  const indexes = wantedTable(model, engine).indexes.map(
    ({ name, columns: parts, unique, liveOnly }) =>
      `CREATE ${unique ? 'UNIQUE ' : ''}INDEX IF NOT EXISTS ${quote(name)} ON ${quote(model.name)} (${parts.map(quote).join(', ')})${liveOnly ? live : ''}`,
  )
  return [
    engine.createTableSql(model.name, [...columns, ...references.map((reference) => referenceDefinition(model, reference))]),
    ...indexes,
  ]
}

function addReference(model: AnyModel, reference: ReferenceShape): string {
  return `ALTER TABLE ${quote(model.name)} ADD ${referenceDefinition(model, reference)}`
}

function referenceDefinition(model: AnyModel, { column, table, targetColumn }: ReferenceShape): string {
  return `CONSTRAINT ${quote(referenceName(model.name, column))} FOREIGN KEY (${quote(column)}) REFERENCES ${quote(table)} (${quote(targetColumn)})`
}

function quote(name: string): string {
  return `"${name}"`
}

/** Models in an order in which each comes after those that it points to, as far as circles allow. */
export function inReferenceOrder(models: readonly AnyModel[]): AnyModel[] {
  const ordered = new Set<AnyModel>()
  const visiting = new Set<AnyModel>()
  const visit = (model: AnyModel): void => {
    if (ordered.has(model) || visiting.has(model)) return
    visiting.add(model)
    for (const field of model.fields) if (field.reference) visit(field.reference.model())
    ordered.add(model)
  }
  for (const model of models) visit(model)
  return [...ordered]
}
