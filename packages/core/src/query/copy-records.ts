import type { Connection } from '../engine/engine.ts'
import { makeRowVersion } from '../model/row-version.ts'
import { type Task, wait } from '../session/task.ts'
import { type BoundTable, encodedBy, type FieldValues } from './bound-table.ts'
import { countedId, passedOver } from './counted-id.ts'
import { type InsertOptions, mostAtOnce, mostCharacters } from './insert-pieces.ts'
import { noteVersion } from './record-version.ts'

export interface CopyOptions {
  /** They come with the records, or the database counts them: then they are written into the records, or nobody asks for them. */
  readonly ids: 'given' | 'counted' | 'unheard'
  readonly computed?: InsertOptions['computed']
}

/** Inserts records by a copy, where they are many and nothing forbids it. Answers whether it has. */
export function* copyRecords(
  table: BoundTable,
  connection: Connection,
  records: readonly FieldValues[],
  { ids, computed = {} }: CopyOptions,
): Task<boolean> {
  const { model, engine } = table
  const { copies } = engine
  if (!copies || records.length < copies.fewestRows(model.name)) return false
  const [id, version] = [model.id.name, model.rowVersion.name]
  const question = copies.question({
    table: model.name,
    counted: ids === 'counted' ? id : undefined,
    checks: model.fields.filter((field) => engine.allowedValues(field)).length,
    rows: records.length,
    computed: Object.values(computed).map((select) => select.compile().sql),
  })
  const [row] = yield* wait(connection.all(question))
  const answer = copies.answer(row)
  if (!answer) return false
  if (ids === 'counted')
    records.forEach((record, index) => {
      record[id] = countedId(table, answer.ids[index])
    })
  const columns = model.fields.map(({ name }) => name).filter((name) => name !== id || ids !== 'unheard')
  const encoders = columns.map((name) => table.encoder(name))
  const computedAt = Object.keys(computed).map((name) => columns.indexOf(name))
  const versionAt = columns.indexOf(version)
  const copy = copies.into(model.name, columns)
  for (let start = 0, end = 0; start < records.length; start = end) {
    const versions: string[] = []
    for (; end < records.length && end - start < mostAtOnce && copy.characters < mostCharacters; end++) {
      const record = records[end] ?? {}
      const values = columns.map((name, place) => encodedBy(encoders[place], record[name]))
      for (const [index, place] of computedAt.entries()) values[place] = answer.computed[index]
      const made = makeRowVersion()
      values[versionAt] = made
      copy.add(values)
      versions.push(made)
    }
    const stored = yield* wait(connection.run(copy.statement()))
    if (stored < versions.length) throw passedOver(table)
    if (ids === 'unheard') continue
    for (const [index, made] of versions.entries()) noteVersion(records[start + index] ?? {}, made)
  }
  return true
}
