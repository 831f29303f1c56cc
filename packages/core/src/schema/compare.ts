import type { IndexShape, TableShape } from '../engine/engine.ts'

/** What keeps a live table from serving a model, each as a sentence. What a table has beyond the model is no difference while inserts go through. */
export function tableDifferences(wanted: TableShape, live: TableShape | undefined): string[] {
  if (!live) return [`Table ${wanted.name} does not exist.`]
  return [
    ...columnDifferences(wanted, live),
    ...keyDifferences(wanted, live),
    ...indexDifferences(wanted, live),
    ...referenceDifferences(wanted, live),
  ]
}

function columnDifferences(wanted: TableShape, live: TableShape): string[] {
  const found = new Map(live.columns.map((column) => [column.name, column]))
  const differences = wanted.columns.flatMap((column) => {
    const there = found.get(column.name)
    if (!there) return [`${wanted.name}.${column.name} is missing; the model wants ${column.type}.`]
    const lines: string[] = []
    if (there.type !== column.type) lines.push(`${wanted.name}.${column.name} is ${there.type}; the model wants ${column.type}.`)
    if (there.nullable !== column.nullable && !wanted.primaryKey.includes(column.name)) {
      lines.push(
        `${wanted.name}.${column.name} ${there.nullable ? 'takes null; the model does not' : 'is NOT NULL; the model takes null'}.`,
      )
    }
    return lines
  })
  const known = new Set(wanted.columns.map((column) => column.name))
  const demanding = live.columns.filter((column) => !known.has(column.name) && !column.nullable && !column.hasDefault)
  return [...differences, ...demanding.map((column) => `${wanted.name}.${column.name} is NOT NULL and no field of the model fills it.`)]
}

function keyDifferences(wanted: TableShape, live: TableShape): string[] {
  if (wanted.primaryKey.join() === live.primaryKey.join()) return []
  return [`The primary key of ${wanted.name} is (${live.primaryKey.join(', ')}); the model wants (${wanted.primaryKey.join(', ')}).`]
}

function indexDifferences(wanted: TableShape, live: TableShape): string[] {
  // A model's index ends with the id, which it need not: tables from elsewhere may do without.
  const asModelled = (index: IndexShape): IndexShape => withoutKey(index, wanted.primaryKey)
  const found = new Set(live.indexes.map(asModelled).map(indexKey))
  const missing = wanted.indexes.map(asModelled).filter((index) => !found.has(indexKey(index)))
  const known = new Set(wanted.indexes.map(indexKey))
  const stricter = live.indexes.filter(
    (index) => index.unique && !known.has(indexKey(index)) && index.columns.join() !== wanted.primaryKey.join(),
  )
  return [
    ...missing.map((index) => `${wanted.name} has no ${indexWords(index)}.`),
    ...stricter.map((index) => `${wanted.name} has a ${indexWords(index)} that the model does not have.`),
  ]
}

function withoutKey(index: IndexShape, primaryKey: readonly string[]): IndexShape {
  if (index.unique || index.columns.length === primaryKey.length) return index
  const length = index.columns.length - primaryKey.length
  return index.columns.slice(length).join() === primaryKey.join() ? { ...index, columns: index.columns.slice(0, length) } : index
}

function indexKey(index: IndexShape): string {
  return `${index.columns.join()}|${index.unique}|${index.unique && index.liveOnly}`
}

function indexWords(index: IndexShape): string {
  return `${index.unique ? 'unique index' : 'index'} on (${index.columns.join(', ')})${index.liveOnly ? ' of live records' : ''}`
}

function referenceDifferences(wanted: TableShape, live: TableShape): string[] {
  const key = (reference: TableShape['references'][number]): string => `${reference.column}→${reference.table}.${reference.targetColumn}`
  const found = new Set(live.references.map(key))
  return wanted.references
    .filter((reference) => !found.has(key(reference)))
    .map((reference) => `${wanted.name}.${reference.column} has no foreign key to ${reference.table}.${reference.targetColumn}.`)
}
