import { fileOf } from '../../engine/database-place.ts'
import type { DatabasePlace, Engine, Statement, StoredRow } from '../../engine/engine.ts'
import { lastSafetyPlace } from '../../engine/last-safety-place.ts'
import { openSnapshot } from '../../engine/open-snapshot.ts'
import { ConflictError } from '../../errors.ts'
import type { AnyModel } from '../../model/model.ts'
import { standingTables } from '../../schema/standing-tables.ts'
import { systemModels } from '../../schema/system-tables.ts'
import { type NamedTable, tableOf } from '../../schema/wanted-table.ts'
import { makeBackup } from '../backup/backup.ts'
import { withWorkFile } from '../files.ts'
import { lastSafetyName } from './last-restore.ts'
import type { RestoreReport } from './report.ts'
import { checkRestoreOptions, type RestoreOptions, restoreFrom } from './restore.ts'
import type { RestoreTarget } from './restore-target.ts'
import { safetyCopy } from './safety-copies.ts'

/** Brings back what the last restore has replaced, by the same road. */
export async function undoRestore(target: RestoreTarget, options: RestoreOptions): Promise<RestoreReport> {
  checkRestoreOptions(options)
  const file = fileOf(target.engine.place)
  if (file !== undefined) {
    // A restore that never came to its end has left a copy, too: the log tells which one is meant.
    const name = await lastSafetyName(target.engine)
    return restoreFrom(target, (name === undefined ? undefined : safetyCopy(file, name)) ?? nothingLeft(), options)
  }
  const place = (await lastSafetyPlace(target.engine.place)) ?? nothingLeft()
  return withWorkFile(async (path) => {
    const models = [...systemModels, ...target.models]
    const tables = await tablesAt(place, target.engine, models)
    await makeBackup({ ...target, models, elsewhere: { place, tables } }, path)
    return restoreFrom(target, path, options)
  })
}

/** As they were: a migration may have changed the live ones since. */
async function tablesAt(place: DatabasePlace, engine: Engine, models: readonly AnyModel[]): Promise<NamedTable[]> {
  const snapshot = await openSnapshot(place)
  try {
    const all = async (statement: Statement): Promise<StoredRow[]> => {
      const found: StoredRow[] = []
      for await (const rows of snapshot.stream(statement, 1_000)) found.push(...rows)
      return found
    }
    return await standingTables(engine, { all }, models.map(tableOf))
  } finally {
    await snapshot.close()
  }
}

function nothingLeft(): never {
  throw new ConflictError('state_conflict', 'There is no restore to undo: no safety copy is left.')
}
