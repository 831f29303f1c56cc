import { logGuard } from '../audit/append-only.ts'
import type { Engine } from '../engine/engine.ts'
import { SchemaMismatchError } from '../errors.ts'

/**
 * Has the database itself keep the audit log append-only: makes what is missing for that, or is another one (where that is wanted).
 * @throws SchemaMismatchError where it does not, and nothing may be made
 */
export async function guardLog(engine: Engine, { createTables }: { readonly createTables: boolean }): Promise<void> {
  if (await engine.read((connection) => engine.isGuarded(connection, logGuard))) return
  if (!createTables) {
    const difference = `${logGuard.log} is not append-only: its triggers are missing, switched off or other ones.`
    throw new SchemaMismatchError([difference], 'Open once with createTables: true.')
  }
  await engine.define(
    async (connection) => {
      if (await engine.isGuarded(connection, logGuard)) return
      for (const sql of engine.guardSql(logGuard)) await connection.run({ sql, parameters: [] })
    },
    { changesTables: true },
  )
}
