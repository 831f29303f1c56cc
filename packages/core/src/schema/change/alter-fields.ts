import type { ColumnDefinition, Connection, Engine, IndexShape, ReferenceShape, TableShape } from '../../engine/engine.ts'
import type { AddedColumn, TableChange } from '../../engine/table-change.ts'
import { MigrationError } from '../../errors.ts'
import { accepted, conversionOf } from '../../model/value-types/conversion.ts'
import { valueTypeOf } from '../../model/value-types/of-kind.ts'
import { columnOf, idColumn } from '../definition/definition-of.ts'
import type { FieldDefinition, TableDefinition } from '../definition/table-definition.ts'
import { indexShape } from '../wanted-table.ts'
import { type ConvertedColumn, convertRows } from './convert-rows.ts'
import { type Asked, refuseDuplicates, refuseWhere } from './guards.ts'
import type { AddedField, ChangedField, TableChanges } from './table-changes.ts'

/** A table that is being changed. */
export interface Altered {
  readonly engine: Engine
  readonly connection: Connection
  readonly table: TableShape
  readonly id: TableDefinition['id']
}

/** Changes fields and indexes, once nothing in the records stands against it. */
export async function alterFields(altered: Altered, changes: TableChanges): Promise<void> {
  const { engine, connection, table, id } = altered
  const asked: Asked = { engine, connection, table: table.name, idName: id.name }
  checkNames(altered, changes)
  await refuseDependents(altered, changes)
  await refuseDropped(asked, changes)
  await refuseUnfilled(asked, changes)
  const converted = convertedColumns(altered, changes)
  if (converted.length > 0) {
    const addColumns = converted.map(({ into, to }) => ({ column: { ...columnOf(into, to), nullable: true } }))
    await engine.changeTable(connection, { table: table.name, addColumns })
    for (const column of converted) await convertRows(asked, idColumn({ id }), column)
  }
  await fillNulls(altered, changes, converted)
  await refuseValues(asked, altered, changes, new Set(converted.map(({ name }) => name)))
  await engine.changeTable(connection, lastChange(altered, changes, converted))
  for (const index of changes.addIndexes ?? []) {
    if (index.unique) await refuseDuplicates(asked, { fields: index.fields, liveOnly: index.liveOnly ?? false })
  }
  // After the duplicates were looked for in the new values.
  const addIndexes = indexesToMake(altered, changes, converted)
  await engine.changeTable(connection, { table: table.name, addIndexes })
}

function refused(sentence: string): MigrationError {
  return new MigrationError('migration_refused', `${sentence} Nothing was changed.`)
}

function checkNames({ table }: Altered, { addFields, changeFields, dropFields }: TableChanges): void {
  const standing = new Set(table.columns.map(({ name }) => name))
  for (const name of Object.keys(addFields ?? {})) if (standing.has(name)) throw refused(`${table.name} has a field ${name} already.`)
  for (const name of [...Object.keys(changeFields ?? {}), ...Object.keys(dropFields ?? {})]) {
    if (!standing.has(name)) throw refused(`${table.name} has no field ${name}.`)
    if (table.primaryKey.includes(name)) throw refused(`${table.name}.${name} is the id, which stays as it is.`)
  }
}

async function refuseDropped(asked: Asked, { dropFields }: TableChanges): Promise<void> {
  for (const [name, { discard }] of Object.entries(dropFields ?? {})) {
    if (discard) continue
    await refuseWhere(
      asked,
      (eb) => eb(name, 'is not', null),
      (count) => `${asked.table}.${name} has values in ${recordsOf(count)}, which would be lost. Say discard: true where they may go.`,
    )
  }
}

/** A view or trigger that names a column which goes, or which another one takes the place of, would be broken. */
async function refuseDependents(
  { engine, connection, table }: Altered,
  { dropFields = {}, changeFields = {} }: TableChanges,
): Promise<void> {
  const type = (name: string, field: FieldDefinition): string => engine.columnType(columnOf(name, field))
  const retyped = Object.entries(changeFields).filter(
    ([name, change]) => isReplaced(change) || type(name, change.from) !== type(name, change.to),
  )
  const all = [
    ...Object.keys(dropFields).map((name) => [name, 'go'] as const),
    ...retyped.map(([name, { to }]) => [name, `become ${to.type}`] as const),
  ]
  for (const [name, what] of all) {
    const dependents = await engine.dependentsOf(connection, table.name, name)
    if (dependents.length === 0) continue
    const [verb, them] = dependents.length === 1 ? ['names', 'it'] : ['name', 'them']
    throw refused(
      `${table.name}.${name} cannot ${what} while the ${dependents.join(', the ')} ${verb} it. Drop ${them} first, in the same migration, and make ${them} again behind the change.`,
    )
  }
}

/** A field that takes no null needs something for the records that are there. */
async function refuseUnfilled(asked: Asked, { addFields }: TableChanges): Promise<void> {
  for (const [name, field] of Object.entries(addFields ?? {})) {
    if (field.nullable || (field.fill ?? null) !== null) continue
    await refuseWhere(
      asked,
      (eb) => eb(asked.idName, 'is not', null),
      (count) => `${asked.table}.${name} takes no null, and ${recordsOf(count)} would have none. Say what they get with fill.`,
    )
  }
}

async function fillNulls(
  { engine, connection, table }: Altered,
  { changeFields }: TableChanges,
  converted: readonly ConvertedColumn[],
): Promise<void> {
  for (const [name, { to, fill }] of Object.entries(changeFields ?? {})) {
    if ((fill ?? null) === null) continue
    const column = converted.find((candidate) => candidate.name === name)?.into ?? name
    const value = stored(engine, `${table.name}.${name}`, to, fill)
    // In a converted column what could not be converted was refused before.
    const update = engine.builder
      .updateTable(table.name)
      .set({ [column]: value })
      .where(name, 'is', null)
    await connection.run(update.compile())
  }
}

/** A value in JSON form as the engine stores it. */
function stored(engine: Engine, place: string, field: FieldDefinition, value: unknown): unknown {
  const type = valueTypeOf(field)
  const code = accepted(type.fromJson(value), type)
  if (code === undefined) throw refused(`${place} cannot be filled with that value: it is no ${field.type} that the field takes.`)
  return engine.codec(columnOf('', field)).encode(code)
}

function convertedColumns({ table }: Altered, { changeFields }: TableChanges): ConvertedColumn[] {
  return Object.entries(changeFields ?? {}).flatMap(([name, change]) => {
    if (!isReplaced(change)) return []
    const convert = change.convert ?? conversionOf(change.from, change.to)
    if (!convert) {
      const types = `${change.from.type} to ${change.to.type}`
      throw refused(`${table.name}.${name}: there is no way from ${types} that loses nothing. Say how with convert.`)
    }
    return [{ name, from: change.from, to: change.to, convert, into: `strongroom_new_${name}` }]
  })
}

/** Its values go through a column of their own. */
function isReplaced(change: ChangedField): boolean {
  return !!change.convert || changesValues(change) || fillsOtherValue(change)
}

/** What the CHECK that stands would not take. */
function fillsOtherValue({ from, fill }: ChangedField): boolean {
  return (fill ?? null) !== null && from.values !== undefined && !from.values.some((value) => value === fill)
}

/** Widening leaves every value as it is. */
function changesValues({ from, to }: ChangedField): boolean {
  if (from.type === 'integer' && to.type === 'int64') return false
  if (from.type === 'decimal' && to.type === 'decimal') {
    return (from.scale ?? 0) !== (to.scale ?? 0) || (to.precision ?? 18) < (from.precision ?? 18)
  }
  return from.type !== to.type
}

async function refuseValues(
  asked: Asked,
  { table }: Altered,
  { changeFields, addFields }: TableChanges,
  converted: ReadonlySet<string>,
): Promise<void> {
  for (const [name, { to }] of Object.entries(changeFields ?? {})) {
    const place = `${asked.table}.${name}`
    const column = converted.has(name) ? `strongroom_new_${name}` : name
    if (!to.nullable) {
      await refuseWhere(
        asked,
        (eb) => eb(column, 'is', null),
        (count) => `${place} takes no null any more, and is null in ${recordsOf(count)}. Say what they get with fill.`,
      )
    }
    const values = to.values
    if (values && !converted.has(name)) {
      await refuseWhere(
        asked,
        (eb) => eb.and([eb(name, 'is not', null), eb(name, 'not in', values)]),
        (count) => `${place} would not take what ${recordsOf(count)} ${count === 1 ? 'has' : 'have'} there. Change them first.`,
      )
    }
    const isNew = !table.references.some((found) => found.column === name && found.table === to.references?.table)
    if (to.references && isNew) await refuseOrphans(asked, { name, column, field: to })
  }
  for (const [name, field] of Object.entries(addFields ?? {})) {
    if (field.references && (field.fill ?? null) !== null) {
      throw refused(`${asked.table}.${name} points to ${field.references.table}: add it first, and fill it by a statement of your own.`)
    }
  }
}

async function refuseOrphans(
  asked: Asked,
  { name, column, field }: { readonly name: string; readonly column: string; readonly field: FieldDefinition },
): Promise<void> {
  const { references } = field
  if (!references) return
  const targets = asked.engine.builder.selectFrom(`${references.table} as target`).select(`target.${references.field}`)
  await refuseWhere(
    asked,
    (eb) =>
      eb.and([
        eb(column, 'is not', null),
        eb.not(eb.exists(targets.whereRef(`target.${references.field}`, '=', `${asked.table}.${column}`))),
      ]),
    (count) => `${asked.table}.${name} points to no record of ${references.table} in ${recordsOf(count)}. Mend or remove them first.`,
  )
}

function recordsOf(count: number): string {
  return count === 1 ? 'one record' : `${count} records`
}

function lastChange(altered: Altered, changes: TableChanges, converted: readonly ConvertedColumn[]): TableChange {
  const { engine, table } = altered
  const changed = Object.entries(changes.changeFields ?? {})
  const replaced = new Set(converted.map(({ name }) => name))
  const goes = new Set([...Object.keys(changes.dropFields ?? {}), ...replaced])
  return {
    table: table.name,
    dropIndexes: indexesToDrop(altered, changes, goes).map(({ name }) => name),
    dropReferences: [...table.references.filter((reference) => changesReference(reference, changes) || replaced.has(reference.column))],
    renameColumns: converted.flatMap(({ name, into }) => [
      { from: name, to: `strongroom_old_${name}` },
      { from: into, to: name },
    ]),
    dropColumns: [...Object.keys(changes.dropFields ?? {}), ...[...replaced].map((name) => `strongroom_old_${name}`)],
    addColumns: Object.entries(changes.addFields ?? {}).map(([name, field]) => addedColumn(engine, table.name, name, field)),
    alterColumns: changed.flatMap(([name, change]): ColumnDefinition[] =>
      isAltered(change) || replaced.has(name) ? [columnOf(name, change.to)] : [],
    ),
    addReferences: [
      ...Object.entries(changes.addFields ?? {}).flatMap(([name, field]) => referenceOf(name, field)),
      ...changed.flatMap(([name, { to }]) => {
        const stays = table.references.some((found) => found.column === name && found.table === to.references?.table)
        return stays && !replaced.has(name) ? [] : referenceOf(name, to)
      }),
    ],
  }
}

/** A reference is dropped and added by itself. */
function isAltered({ from, to }: ChangedField): boolean {
  const bare = ({ references: _references, ...field }: FieldDefinition): string =>
    JSON.stringify([field.type, field.nullable ?? false, field.values, field.precision, field.scale])
  return bare(from) !== bare(to)
}

function addedColumn(engine: Engine, table: string, name: string, field: AddedField): AddedColumn {
  const { fill, ...about } = field
  const column = columnOf(name, about)
  return (fill ?? null) === null ? { column } : { column, fill: stored(engine, `${table}.${name}`, about, fill) }
}

function referenceOf(column: string, { references }: FieldDefinition): ReferenceShape[] {
  return references ? [{ column, table: references.table, targetColumn: references.field }] : []
}

function changesReference({ column, table }: ReferenceShape, { changeFields, dropFields }: TableChanges): boolean {
  if (dropFields?.[column]) return true
  const change = changeFields?.[column]
  return change !== undefined && change.to.references?.table !== table
}

function indexesToDrop({ table, id, engine }: Altered, { dropIndexes }: TableChanges, goes: ReadonlySet<string>): IndexShape[] {
  const named = new Set((dropIndexes ?? []).map((index) => indexShape(table.name, index, id, engine).name))
  return table.indexes.filter(({ name, columns }) => named.has(name) || columns.some((column) => goes.has(column)))
}

/** Those of columns that were put in the place of others are made again. */
function indexesToMake(altered: Altered, changes: TableChanges, converted: readonly ConvertedColumn[]): IndexShape[] {
  const { table, id, engine } = altered
  const replaced = new Set(converted.map(({ name }) => name))
  const dropped = new Set(Object.keys(changes.dropFields ?? {}))
  const gone = new Set((changes.dropIndexes ?? []).map((index) => indexShape(table.name, index, id, engine).name))
  const again = table.indexes.filter(
    ({ name, columns }) =>
      !gone.has(name) && columns.some((column) => replaced.has(column)) && !columns.some((column) => dropped.has(column)),
  )
  return [...again, ...(changes.addIndexes ?? []).map((index) => indexShape(table.name, index, id, engine))]
}
