import type { FieldDefinition, IndexDefinition } from '../definition/table-definition.ts'
import type { TableChanges } from './table-changes.ts'

/** What changes of a table have done, a sentence for each. */
export function changeSentences(table: string, changes: TableChanges): string[] {
  const entries = <T>(of: Readonly<Record<string, T>> | undefined): [string, T][] => Object.entries(of ?? {})
  return [
    ...entries(changes.renameFields).map(([from, to]) => `${table}.${from} was renamed to ${to}.`),
    ...entries(changes.addFields).map(([name, field]) => `${table}.${name} was added, as ${fieldWords(field)}.`),
    ...entries(changes.changeFields).map(([name, { from, to }]) => `${table}.${name} was ${fieldWords(from)} and is ${fieldWords(to)}.`),
    ...entries(changes.dropFields).map(([name]) => `${table}.${name} was removed.`),
    ...(changes.dropIndexes ?? []).map((index) => `${table} has no ${indexWords(index)} any more.`),
    ...(changes.addIndexes ?? []).map((index) => `${table} has an ${indexWords(index)}.`),
  ]
}

/** A field for people, e.g. `decimal(12, 2) or null`. */
export function fieldWords({ type, nullable, values, precision, scale, references }: FieldDefinition): string {
  const digits = type === 'decimal' ? `(${precision ?? 18}, ${scale ?? 0})` : ''
  const one = values ? ` of ${values.length} values` : ''
  const target = references ? ` that points to ${references.table}` : ''
  return `${type}${digits}${one}${target}${nullable ? ' or null' : ''}`
}

function indexWords({ fields, unique, liveOnly, presentOnly }: IndexDefinition): string {
  const among = `${liveOnly ? ' among live records' : ''}${presentOnly ? ` of records that have ${fields[0]}` : ''}`
  return `index over (${fields.join(', ')})${unique ? ' that keeps them unique' : ''}${among}`
}
