import { createHash } from 'node:crypto'
import { canonicalJson } from '../../audit/canonical.ts'
import type { Snapshot } from '../../engine/engine.ts'
import { valueTypeOf } from '../../model/value-types/of-kind.ts'
import type { NamedTable } from '../../schema/wanted-table.ts'

/** What a table holds, in short. */
export interface TableContent {
  readonly rows: number
  /** SHA-256 in hexadecimal, over each record in turn. */
  readonly sha256: string
}

/** Rows that are read at a time; few, as for a move. */
const piece = 50

/**
 * Hashes what a table holds: each record, in the order of the ids, as the canonical JSON (RFC 8785) of its fields by name, in JSON form,
 * and a line feed. The same records have the same hash on every engine.
 */
export async function hashContent(
  snapshot: Snapshot,
  { name, definition: { id, fields } }: NamedTable,
  onRows: (count: number) => Promise<void>,
): Promise<TableContent> {
  const names = [[id.name, id] as const, ...Object.entries(fields)].sort(([one], [other]) => (one < other ? -1 : 1))
  const columns = names.map(([column, field], index) => ({
    column,
    before: `${index === 0 ? '{' : ','}${canonicalJson(column)}:`,
    decode: snapshot.codec({ kind: field.type, ...('scale' in field && field.scale !== undefined && { scale: field.scale }) }).decode,
    toJson: valueTypeOf(field).toJson,
  }))
  const hash = createHash('sha256')
  let rows = 0
  const sql = `SELECT ${columns.map(({ column }) => `"${column}"`).join(', ')} FROM "${name}" ORDER BY "${id.name}"`
  for await (const batch of snapshot.stream({ sql, parameters: [] }, piece)) {
    let text = ''
    for (const row of batch) {
      for (const { column, before, decode, toJson } of columns) {
        const stored = row[column] ?? null
        text += before + (stored === null ? 'null' : canonicalJson(toJson(decode(stored))))
      }
      text += '}\n'
    }
    hash.update(text)
    rows += batch.length
    await onRows(batch.length)
  }
  return { rows, sha256: hash.digest('hex') }
}
