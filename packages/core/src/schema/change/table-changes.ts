import type { FieldDefinition, IndexDefinition } from '../definition/table-definition.ts'

/** A field that a table gets. */
export interface AddedField extends FieldDefinition {
  /**
   * What the records that stand are given, in JSON form: a decimal, an Int64 and an instant are text. Null unless said; a field that takes
   * no null is refused then, while there are records.
   */
  readonly fill?: unknown
}

/** A field that is another one from now on. */
export interface ChangedField {
  readonly from: FieldDefinition
  readonly to: FieldDefinition
  /** What records are given that have null, in JSON form: for a field that takes none any more. */
  readonly fill?: unknown
  /**
   * Makes a new value of an old one, both in code form; undefined where that cannot be done, which is refused. Left out, values are turned
   * into the new type where nothing of them is lost: `'12'` into 12, and `'twelve'` is refused.
   */
  readonly convert?: (value: unknown) => unknown
}

/** A field that goes. */
export interface DroppedField extends FieldDefinition {
  /** Its values may go, too. Without this it is refused while records have any. */
  readonly discard?: boolean
}

/**
 * What becomes of a table. Everything is done together, in this order: fields are renamed; the rest has their new names.
 *
 * @example
 * await schema.alterTable('users', {
 *   renameFields: { name: 'full_name' },
 *   addFields: { role: { type: 'text', values: ['user', 'admin'], fill: 'user' } },
 *   changeFields: { age: { from: { type: 'text', nullable: true }, to: { type: 'integer', nullable: true } } },
 *   addIndexes: [{ fields: ['full_name'], unique: true }],
 * })
 */
export interface TableChanges {
  /** The new names by the old ones. */
  readonly renameFields?: Readonly<Record<string, string>>
  readonly addFields?: Readonly<Record<string, AddedField>>
  readonly changeFields?: Readonly<Record<string, ChangedField>>
  readonly dropFields?: Readonly<Record<string, DroppedField>>
  readonly dropIndexes?: readonly IndexDefinition[]
  readonly addIndexes?: readonly IndexDefinition[]
}

const lists = ['dropIndexes', 'addIndexes'] as const
const records = ['renameFields', 'addFields', 'changeFields', 'dropFields'] as const

/** All of them in one. */
export function mergeChanges(parts: readonly TableChanges[]): TableChanges {
  const merged: Record<string, unknown> = {}
  for (const name of records) {
    const all: Record<string, unknown> = Object.assign({}, ...parts.map((part) => part[name]))
    if (Object.keys(all).length > 0) merged[name] = all
  }
  for (const name of lists) {
    const all = parts.flatMap((part) => part[name] ?? [])
    if (all.length > 0) merged[name] = all
  }
  return merged
}

/** What takes them back. Values that are gone are not there again. */
export function reverseChanges(changes: TableChanges): TableChanges {
  const back = (name: string): string => Object.entries(changes.renameFields ?? {}).find(([, to]) => to === name)?.[0] ?? name
  const renamed = <T>(of: Readonly<Record<string, T>> | undefined): [string, T][] =>
    Object.entries(of ?? {}).map(([name, value]) => [back(name), value])
  const indexes = (list: readonly IndexDefinition[] | undefined): IndexDefinition[] =>
    (list ?? []).map((index) => ({ ...index, fields: index.fields.map(back) }))
  return mergeChanges([
    {
      renameFields: Object.fromEntries(Object.entries(changes.renameFields ?? {}).map(([from, to]) => [to, from])),
      addFields: Object.fromEntries(renamed(changes.dropFields).map(([name, { discard: _discard, ...field }]) => [name, field])),
      changeFields: Object.fromEntries(renamed(changes.changeFields).map(([name, { from, to }]) => [name, { from: to, to: from }])),
      dropFields: Object.fromEntries(renamed(changes.addFields).map(([name, { fill: _fill, ...field }]) => [name, field])),
      dropIndexes: indexes(changes.addIndexes),
      addIndexes: indexes(changes.dropIndexes),
    },
  ])
}
