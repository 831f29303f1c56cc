import { fileOf } from '../../engine/database-place.ts'
import { KeptAnswers } from '../../idempotency/kept-answers.ts'
import { BackupRecords } from '../../schema/backup-records.ts'
import { systemModels } from '../../schema/system-tables.ts'
import { createBareStatements, referenceStatements } from '../../schema/wanted-table.ts'
import { planCopy } from '../backup/backup.ts'
import type { Replaced, ReplaceTask } from './replace.ts'
import type { ReplaceTablesTask } from './replace-tables.ts'
import type { RestoreDeed } from './restore-entry.ts'
import { inThread, type RestoreTarget } from './restore-target.ts'
import { newSafetyCopy, thinOut } from './safety-copies.ts'

/** Milliseconds to try for the locks, and for readers of the old content to end. */
const patience = 30_000

/** Tables whose rows stay as they are now: a restore must not bring back what was ended since, nor forget backups that were made since. */
const carried = [KeptAnswers.name, BackupRecords.name]

/** Puts a staged file in the place of what the database holds. Writers of this process wait meanwhile. */
export async function replaceContent(target: RestoreTarget, staged: string, deed: RestoreDeed): Promise<Replaced> {
  const release = await target.engine.holdWrites()
  try {
    const live = fileOf(target.engine.place)
    return await (live === undefined ? replaceTables(target, staged, deed) : replaceFile(target, live, staged, deed))
  } finally {
    target.engine.refresh()
    release()
  }
}

async function replaceFile(target: RestoreTarget, live: string, staged: string, deed: RestoreDeed): Promise<Replaced> {
  const task: ReplaceTask = { ...deed, live, staged, safety: await newSafetyCopy(live), carried, patience }
  const replaced = await inThread<Replaced>(target, './replace-worker', task)
  await thinOut(live)
  return replaced
}

async function replaceTables(target: RestoreTarget, staged: string, deed: RestoreDeed): Promise<Replaced> {
  const { engine } = target
  const models = [...systemModels, ...target.models]
  const task: ReplaceTablesTask = {
    ...deed,
    place: engine.place,
    staged,
    definitions: createBareStatements(models, engine),
    references: referenceStatements(models, engine),
    tables: models.map((model) => planCopy(engine, model)),
    carried,
    patience,
  }
  return await inThread<Replaced>(target, './replace-tables-worker', task)
}
