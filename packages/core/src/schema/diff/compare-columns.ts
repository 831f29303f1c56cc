import type { ColumnShape, ReferenceShape } from '../../engine/engine.ts'
import { referenceName } from '../../model/constraint-names.ts'
import { deletedAtName } from '../../model/kept-names.ts'
import type { AddedField } from '../change/table-changes.ts'
import type { FieldDefinition } from '../definition/table-definition.ts'
import type { Comparison } from './compare-table.ts'
import type { Difference, Effect } from './difference.ts'
import { liveField } from './live-definition.ts'

/** A column that the model wants and the table has not. */
export function missingColumn({ model, wanted, definition }: Comparison, column: ColumnShape): Difference {
  const field = model.fieldsByName.get(column.name)
  const about = definition.fields[column.name]
  const sentence = `${wanted.name}.${column.name} is missing; the model wants ${column.type}`
  if (!about || !field) return { table: wanted.name, sentence: `${sentence}.`, effect: 'impossible', changes: {} }
  const constant = field.constantDefault ?? null
  const added: AddedField = { ...about, ...(constant !== null && { fill: field.toJson(constant) }) }
  const isSafe = column.nullable || constant !== null
  return {
    table: wanted.name,
    sentence: isSafe ? `${sentence}.` : `${sentence} without null, and has no default for the records that are there.`,
    effect: isSafe ? 'safe' : 'migration',
    changes: { addFields: { [column.name]: added } },
  }
}

/** A column that the table has and the model does not want. */
export function surplusColumn({ model, engine, live, remembered }: Comparison, column: ColumnShape): Difference {
  const place = `${live.name}.${column.name}`
  const memory = remembered?.fields[column.name]
  const field = liveField(live, column, memory, engine)
  const drop = field ? { dropFields: { [column.name]: field } } : {}
  const difference = (effect: Effect, sentence: string): Difference => ({ table: live.name, sentence, effect, changes: drop })
  if (live.primaryKey.includes(column.name)) return difference('impossible', `${place} is NOT NULL and no field of the model fills it.`)
  if (column.name === deletedAtName && !model.deletedAt) {
    return difference('migration', `${place} marks deleted records, and without softDelete the model would have them back.`)
  }
  if (!column.nullable && !column.hasDefault) return difference('migration', `${place} is NOT NULL and no field of the model fills it.`)
  return difference('leftover', `${place} is no field of the model.`)
}

/** How a column that stands differs from what the model wants. */
export function compareColumn(comparison: Comparison, wanted: ColumnShape, live: ColumnShape): Difference[] {
  const { engine, definition, remembered } = comparison
  const table = comparison.wanted.name
  const place = `${table}.${wanted.name}`
  const isId = comparison.wanted.primaryKey.includes(wanted.name)
  const to = definition.fields[wanted.name]
  // Where nothing is remembered, a type that may be what the model wants is taken for that.
  const from = liveField(comparison.live, live, remembered?.fields[wanted.name] ?? to, engine)
  const isPossible = !isId && to !== undefined && from !== undefined
  const differences: Difference[] = []
  const differs = (effect: Effect, sentence: string): void => {
    const changes = isPossible ? { changeFields: { [wanted.name]: { from, to } } } : {}
    differences.push({ table, sentence: `${place} ${sentence}.`, effect: isPossible ? effect : 'impossible', changes })
  }
  if (live.type !== wanted.type) differs(isWider(from, to) ? 'safe' : 'migration', `is ${live.type}; the model wants ${wanted.type}`)
  else if (from && to && !isSameKind(from, to)) {
    differs(isWider(from, to) ? 'safe' : 'migration', `holds values of type ${words(from)}; the model wants ${words(to)}`)
  }
  if (live.nullable !== wanted.nullable && !isId) {
    if (live.nullable) differs('migration', 'takes null; the model does not')
    else differs('safe', 'is NOT NULL; the model takes null')
  }
  const more = compareValues(live, wanted, from, to)
  if (more) differs(more.effect, more.sentence)
  for (const { effect, sentence } of compareReferences(comparison, wanted.name)) differs(effect, sentence)
  return differences
}

function isSameKind(from: FieldDefinition, to: FieldDefinition): boolean {
  return (
    from.type === to.type &&
    (from.type !== 'decimal' || ((from.precision ?? 18) === (to.precision ?? 18) && (from.scale ?? 0) === (to.scale ?? 0)))
  )
}

/** Every value stays as it is. */
function isWider(from: FieldDefinition | undefined, to: FieldDefinition | undefined): boolean {
  if (!from || !to) return false
  if (from.type === 'integer' && to.type === 'int64') return true
  if (from.type !== 'decimal' || to.type !== 'decimal') return false
  return (from.scale ?? 0) === (to.scale ?? 0) && (to.precision ?? 18) >= (from.precision ?? 18)
}

function words({ type, precision = 18, scale = 0 }: FieldDefinition): string {
  return type === 'decimal' ? `decimal(${precision}, ${scale})` : type
}

/** What a CHECK allows. That of a boolean goes with its type. */
function compareValues(
  live: ColumnShape,
  wanted: ColumnShape,
  from: FieldDefinition | undefined,
  to: FieldDefinition | undefined,
): Pick<Difference, 'effect' | 'sentence'> | undefined {
  const becomesOther = from?.type !== to?.type && (from?.type === 'boolean' || to?.type === 'boolean')
  if (becomesOther) return undefined
  return onlyChecked(live, wanted)
}

function onlyChecked(live: ColumnShape, wanted: ColumnShape): Pick<Difference, 'effect' | 'sentence'> | undefined {
  const [before, after] = [new Set(live.allowed), new Set(wanted.allowed)]
  if (!live.allowed && !wanted.allowed) return undefined
  if (!wanted.allowed) return { effect: 'safe', sentence: `takes ${list(before)} alone; the model takes more` }
  if (!live.allowed) return { effect: 'migration', sentence: `takes any value; the model takes ${list(after)} alone` }
  const without = (all: ReadonlySet<string | number>, some: ReadonlySet<string | number>) =>
    new Set([...all].filter((value) => !some.has(value)))
  const [gone, come] = [without(before, after), without(after, before)]
  if (gone.size > 0) return { effect: 'migration', sentence: `takes ${list(gone)}; the model does not` }
  return come.size > 0 ? { effect: 'safe', sentence: `does not take ${list(come)}; the model does` } : undefined
}

/** Values that a sentence names. */
const mostNamed = 10

function list(values: ReadonlySet<string | number>): string {
  const all = [...values].map((value) => JSON.stringify(value))
  return all.length > mostNamed ? `${all.slice(0, mostNamed).join(', ')} and ${all.length - mostNamed} more` : all.join(', ')
}

function compareReferences({ wanted, live, remembered }: Comparison, column: string): Pick<Difference, 'effect' | 'sentence'>[] {
  const key = (reference: ReferenceShape): string => `${reference.table}.${reference.targetColumn}`
  const here = (table: typeof live): ReferenceShape[] => table.references.filter((reference) => reference.column === column)
  const [asked, standing] = [here(wanted), here(live)]
  const missing = asked.filter((reference) => !standing.some((found) => key(found) === key(reference)))
  const superfluous = standing.filter((reference) => !asked.some((found) => key(found) === key(reference)))
  // One of somebody else's making is that one's affair.
  const own = superfluous.filter(
    ({ name }) => name === referenceName(live.name, column) || remembered?.fields[column]?.references !== undefined,
  )
  return [
    ...missing.map((reference) => ({ effect: 'migration' as const, sentence: `has no foreign key to ${key(reference)}` })),
    ...own.map((reference) => ({
      effect: 'safe' as const,
      sentence: `has a foreign key to ${key(reference)} that the model does not have`,
    })),
  ]
}
