import type { Model } from './model.ts'

/**
 * Which old names stand for fields of a model, by the names that stand: in a table, or in an image of the log. A name that stands and is
 * another field's old name may be a new field's by now, so who had it first is found first.
 */
export function standingRenames({ renamedFields }: Pick<Model, 'renamedFields'>, stands: (name: string) => boolean): Map<string, string> {
  const renames = new Map<string, string>()
  const found = new Set<string>()
  for (let before = -1; before < renames.size; ) {
    before = renames.size
    for (const [name, olds] of renamedFields) {
      if (found.has(name) || (stands(name) && !renames.has(name))) continue
      const old = olds.find((candidate) => stands(candidate) && !renames.has(candidate))
      if (old === undefined) continue
      renames.set(old, name)
      found.add(name)
    }
  }
  return renames
}
