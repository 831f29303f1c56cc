import type { IndexShape } from '../../engine/engine.ts'
import type { IndexDefinition } from '../definition/table-definition.ts'
import { indexShape } from '../wanted-table.ts'
import type { Comparison } from './compare-table.ts'
import type { Difference, Effect } from './difference.ts'
import { ownIndex } from './live-definition.ts'

/** Indexes that are missing, refuse what the model takes, or are of no use to it. */
export function compareIndexes(comparison: Comparison): Difference[] {
  const { wanted, live, definition, engine } = comparison
  const asked = (definition.indexes ?? []).map((index) => ({ index, shape: indexShape(wanted.name, index, definition.id, engine) }))
  // A model's index ends with the id, which it need not: tables from elsewhere may do without.
  const asModelled = (shape: IndexShape): IndexShape => withoutKey(shape, wanted.primaryKey)
  const found = new Set(live.indexes.map(asModelled).map(indexKey))
  const known = new Set(asked.map(({ shape }) => indexKey(asModelled(shape))))
  // A whole index has what one over some records has.
  const missing = asked.filter(
    ({ shape }) => ![shape, { ...shape, presentOnly: false }].some((each) => found.has(indexKey(asModelled(each)))),
  )
  const surplus = live.indexes.filter(
    (shape) => !known.has(indexKey(asModelled(shape))) && shape.columns.join() !== wanted.primaryKey.join(),
  )
  return [
    ...missing.map(({ index, shape }) => ({
      table: wanted.name,
      sentence: `${wanted.name} has no ${words(asModelled(shape))}.`,
      effect: effectOfNew(comparison, index),
      changes: { addIndexes: [index] },
    })),
    ...surplus.flatMap((shape) => superfluous(comparison, shape)),
  ]
}

/** A new unique key refuses nothing where every record is left out of it, or was held to a stricter one. */
function effectOfNew({ definition, live, model }: Comparison, { fields, unique, liveOnly }: IndexDefinition): Effect {
  if (!unique) return 'safe'
  const standing = new Set(live.columns.map(({ name }) => name))
  const isEmpty = (name: string): boolean =>
    !standing.has(name) && definition.fields[name]?.nullable === true && (model.fieldsByName.get(name)?.constantDefault ?? null) === null
  const stricter = live.indexes.some(
    (index) => index.unique && !index.liveOnly && liveOnly === true && index.columns.join() === fields.join(),
  )
  return fields.some(isEmpty) || stricter ? 'safe' : 'migration'
}

function superfluous({ live, wanted, definition }: Comparison, shape: IndexShape): Difference[] {
  const own = ownIndex(live, shape)
  const changes = own ? { dropIndexes: [own] } : {}
  if (!shape.unique) {
    if (!own) return []
    return [
      { table: live.name, sentence: `${live.name} has an ${words(shape)} that the model does not have.`, effect: 'leftover', changes },
    ]
  }
  const sentence = `${live.name} has a ${words(shape)} that the model does not have.`
  // It goes with its columns, whose own difference tells what that means.
  const goes = shape.columns.some((name) => name !== wanted.primaryKey[0] && !definition.fields[name])
  return [{ table: live.name, sentence, effect: own ? (goes ? 'leftover' : 'safe') : 'migration', changes }]
}

function withoutKey(index: IndexShape, primaryKey: readonly string[]): IndexShape {
  if (index.unique || index.columns.length === primaryKey.length) return index
  const length = index.columns.length - primaryKey.length
  return index.columns.slice(length).join() === primaryKey.join() ? { ...index, columns: index.columns.slice(0, length) } : index
}

function indexKey(index: IndexShape): string {
  return `${index.columns.join()}|${index.unique}|${index.unique && index.liveOnly}|${index.presentOnly ?? false}`
}

function words(index: IndexShape): string {
  return `${index.unique ? 'unique index' : 'index'} on (${index.columns.join(', ')})${index.liveOnly ? ' of live records' : ''}${index.presentOnly ? ` of records that have ${index.columns[0]}` : ''}`
}
