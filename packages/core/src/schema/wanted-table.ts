import type { IndexShape, ReferenceShape, TableDefiner, TableShape } from '../engine/engine.ts'
import { indexPredicate } from '../engine/index-predicate.ts'
import { indexName, referenceName, uniqueName } from '../model/constraint-names.ts'
import type { AnyModel } from '../model/model.ts'
import { columnOf, definitionOf, idColumn } from './definition/definition-of.ts'
import type { IndexDefinition, TableDefinition } from './definition/table-definition.ts'

/** A table with its name. */
export interface NamedTable {
  readonly name: string
  readonly definition: TableDefinition
  /** What else is indexed where units overlap. */
  readonly overlapIndexes?: readonly IndexDefinition[]
}

/** A table as it stands, for whichever engine: what is indexed where units overlap is said apart, whether it stands here or not. */
export function forAnyEngine({ name, definition }: NamedTable, overlapIndexes: readonly IndexDefinition[]): NamedTable {
  if (overlapIndexes.length === 0) return { name, definition }
  const apart = new Set(overlapIndexes.map(({ fields }) => fields.join()))
  const indexes = (definition.indexes ?? []).filter(({ fields }) => !apart.has(fields.join()))
  return { name, definition: { ...definition, indexes }, overlapIndexes }
}

/** A table in the engine's terms. */
export function tableShape({ name, definition, overlapIndexes = [] }: NamedTable, engine: TableDefiner): TableShape {
  const { id, fields } = definition
  const indexes = [...(definition.indexes ?? []), ...(engine.capabilities.serialWrites ? [] : overlapIndexes)]
  const columns = [idColumn(definition), ...Object.entries(fields).map(([field, about]) => columnOf(field, about))]
  return {
    name,
    columns: columns.map((column) => {
      const allowed = engine.allowedValues(column)
      return { name: column.name, type: engine.columnType(column), nullable: column.nullable, ...(allowed && { allowed }) }
    }),
    primaryKey: [id.name],
    indexes: indexes.map((index) => indexShape(name, index, id, engine)),
    references: Object.entries(fields).flatMap(([field, { references }]) =>
      references ? [{ column: field, table: references.table, targetColumn: references.field }] : [],
    ),
  }
}

/** The table that a model wants to live in on an engine. */
export function definitionOn({ capabilities }: TableDefiner, model: AnyModel): TableDefinition {
  const definition = definitionOf(model)
  const { overlapIndexes = [] } = model
  return capabilities.serialWrites ? definition : { ...definition, indexes: [...(definition.indexes ?? []), ...overlapIndexes] }
}

/** An index in the engine's terms. */
export function indexShape(
  table: string,
  { fields, unique = false, liveOnly = false, presentOnly = false }: IndexDefinition,
  id: TableDefinition['id'],
  engine: TableDefiner,
): IndexShape {
  const columns = unique ? fields : withId(id, engine, fields)
  return {
    name: unique ? uniqueName(table, fields) : indexName(table, fields),
    columns,
    unique,
    liveOnly,
    ...(presentOnly && { presentOnly }),
  }
}

/** The id is the last key of every order: an index that ends with it gives pages without sorting, however many records share a value. */
function withId(id: TableDefinition['id'], { capabilities }: TableDefiner, columns: readonly string[]): readonly string[] {
  const there = columns.includes(id.name) || (capabilities.countedIdInIndexes && id.type === 'integer')
  return there ? columns : [...columns, id.name]
}

/** The statements that make tables without their references: they can be filled in any order. */
export function createBareStatements(models: readonly AnyModel[], engine: TableDefiner): string[] {
  return createBareTables(models.map(tableOf), engine)
}

/** The same for tables that no model has. */
export function createBareTables(tables: readonly NamedTable[], engine: TableDefiner): string[] {
  return tables.flatMap((table) => tableStatements(table, engine, []))
}

/** The statements that add the references to tables that were made without them. */
export function referenceStatements(models: readonly AnyModel[], engine: TableDefiner): string[] {
  return tableReferences(models.map(tableOf), engine)
}

/** The same for tables that no model has. */
export function tableReferences(tables: readonly NamedTable[], engine: TableDefiner): string[] {
  return tables.flatMap((table) => tableShape(table, engine).references.map((reference) => addReference(table.name, reference)))
}

/** The statements that make tables, in the order given, with their indexes and references, where they are missing. */
export function createStatements(models: readonly AnyModel[], engine: TableDefiner): string[] {
  return createTableStatements(models.map(tableOf), engine)
}

/** A model's table in the terms of no engine. */
export function tableOf(model: AnyModel): NamedTable {
  const { name, overlapIndexes } = model
  return { name, definition: definitionOf(model), ...(overlapIndexes && { overlapIndexes }) }
}

/** The same for tables that no model has. */
export function createTableStatements(tables: readonly NamedTable[], engine: TableDefiner): string[] {
  const statements: string[] = []
  const afterwards: string[] = []
  tables.forEach((table, index) => {
    const later = new Set(engine.capabilities.forwardReferences ? [] : tables.slice(index + 1).map(({ name }) => name))
    const { references } = tableShape(table, engine)
    const now = references.filter((reference) => !later.has(reference.table))
    statements.push(...tableStatements(table, engine, now))
    for (const reference of references) if (later.has(reference.table)) afterwards.push(addReference(table.name, reference))
  })
  return [...statements, ...afterwards]
}

function tableStatements(table: NamedTable, engine: TableDefiner, references: readonly ReferenceShape[]): string[] {
  const { id, fields } = table.definition
  const columns = [
    `${quote(id.name)} ${engine.idDefinition(idColumn(table.definition), { countedId: id.type === 'integer' })}`,
    ...Object.entries(fields).map(([name, about]) => `${quote(name)} ${engine.columnDefinition(columnOf(name, about))}`),
  ]
  const indexes = tableShape(table, engine).indexes.map(
    (index) =>
      `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX IF NOT EXISTS ${quote(index.name)} ON ${quote(table.name)} (${index.columns.map(quote).join(', ')})${indexPredicate(index)}`,
  )
  return [
    engine.createTableSql(table.name, [...columns, ...references.map((reference) => referenceDefinition(table.name, reference))]),
    ...indexes,
  ]
}

function addReference(table: string, reference: ReferenceShape): string {
  return `ALTER TABLE ${quote(table)} ADD ${referenceDefinition(table, reference)}`
}

function referenceDefinition(table: string, { column, table: target, targetColumn }: ReferenceShape): string {
  return `CONSTRAINT ${quote(referenceName(table, column))} FOREIGN KEY (${quote(column)}) REFERENCES ${quote(target)} (${quote(targetColumn)})`
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
