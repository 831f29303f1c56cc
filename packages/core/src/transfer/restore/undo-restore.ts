import { fileOf } from '../../engine/database-place.ts'
import { lastSafetyPlace } from '../../engine/last-safety-place.ts'
import { ConflictError } from '../../errors.ts'
import { systemModels } from '../../schema/system-tables.ts'
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
    await makeBackup({ ...target, models: [...systemModels, ...target.models], place }, path)
    return restoreFrom(target, path, options)
  })
}

function nothingLeft(): never {
  throw new ConflictError('state_conflict', 'There is no restore to undo: no safety copy is left.')
}
