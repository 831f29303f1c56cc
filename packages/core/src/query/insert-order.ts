import type { AnyModel } from '../model/model.ts'
import type { FieldValues } from './bound-table.ts'

/** Records of one model in an order in which those that others of them point to come first, as far as circles allow. */
export function targetsFirst(model: AnyModel, records: readonly FieldValues[]): readonly FieldValues[] {
  const references = model.fields.filter((field) => field.reference?.model() === model)
  if (references.length === 0 || records.length === 1) return records
  const byId = new Map(records.map((record) => [record[model.id.name], record]))
  const ordered = new Set<FieldValues>()
  for (const start of records) {
    // A list instead of recursion: a chain may be as long as the batch.
    const path = [start]
    const onPath = new Set(path)
    for (let record = path.at(-1); record; record = path.at(-1)) {
      const target = ordered.has(record)
        ? undefined
        : references.map((field) => byId.get(record?.[field.name])).find((found) => found && !ordered.has(found) && !onPath.has(found))
      if (target) {
        path.push(target)
        onPath.add(target)
      } else {
        ordered.add(record)
        path.pop()
      }
    }
  }
  return [...ordered]
}
