import { AuditLog } from '../../audit/audit-log.ts'
import type { Engine } from '../../engine/engine.ts'

/** The name of the copy that was kept of what the last restore has replaced; undefined where the log knows of none. */
export async function lastSafetyName(engine: Engine): Promise<string | undefined> {
  const query = engine.builder
    .selectFrom(AuditLog.name)
    .select('after')
    // In the order of an index that is there.
    .where('component', '=', 'db')
    .where('record_id', 'is', null)
    .where('operation', '=', 'restore_database')
    .orderBy('id', 'desc')
    .limit(1)
  const [row] = await engine.read((connection) => connection.all(query.compile()))
  if (row === undefined || row['after'] === null) return undefined
  // The restore that wrote it has put it there.
  return (JSON.parse(String(row['after'])) as { readonly safety_copy?: string }).safety_copy
}
