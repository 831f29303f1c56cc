import type { IndexShape } from './engine.ts'

/** What follows an index's columns, where it covers some records only. */
export function indexPredicate({
  columns,
  liveOnly,
  presentOnly = false,
}: Pick<IndexShape, 'columns' | 'liveOnly' | 'presentOnly'>): string {
  const conditions = [...(liveOnly ? ['"deleted_at" IS NULL'] : []), ...(presentOnly ? [`"${columns[0]}" IS NOT NULL`] : [])]
  return conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
}
