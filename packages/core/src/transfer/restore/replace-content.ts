import { basename } from 'node:path'
import { fileOf } from '../../engine/database-place.ts'
import { holdFile } from '../../engine/portable-file.ts'
import { ConflictError } from '../../errors.ts'
import { systemModels } from '../../schema/system-tables.ts'
import { createBareStatements, referenceStatements, tableOf } from '../../schema/wanted-table.ts'
import { planCopy } from '../backup/backup.ts'
import { lastSafetyName } from './last-restore.ts'
import { planRules } from './plan-rules.ts'
import type { Replaced, ReplaceTask } from './replace.ts'
import type { ReplaceTablesTask } from './replace-tables.ts'
import type { RestoreDeed } from './restore-entry.ts'
import { inThread, type Restoring } from './restore-target.ts'
import { newSafetyCopy, safetyHolder, thinOut } from './safety-copies.ts'

/** Milliseconds to try for the locks, and for readers of the old content to end. */
const patience = 30_000

/** Puts a staged file in the place of what the database holds. Writers of this process wait meanwhile. */
export async function replaceContent(restoring: Restoring, staged: string, deed: RestoreDeed): Promise<Replaced> {
  const { engine, modules, models } = restoring
  const rules = planRules(modules, [...systemModels, ...models], new Date())
  const live = fileOf(engine.place)
  if (live === undefined) return await whileHeld(restoring, (held) => replaceTables(held, { ...deed, staged, rules, patience }))
  return await alone(live, async () => {
    await thinOut(live, await lastSafetyName(engine))
    const replaced = await whileHeld(restoring, (held) =>
      replaceFile(held, { ...deed, live, staged, safety: newSafetyCopy(live), rules, patience }),
    )
    // The restore is done; the next one tries again.
    await thinOut(live, basename(replaced.safety)).catch(() => undefined)
    return replaced
  })
}

/** While no other process restores the same file. */
async function alone<T>(live: string, work: () => Promise<T>): Promise<T> {
  const release = await holdFile(await safetyHolder(live))
  if (!release) throw new ConflictError('state_conflict', 'Another restore is under way. Wait until it ends.')
  try {
    return await work()
  } finally {
    release()
  }
}

/** Writers of this process wait until the new content is there. To bring it into the file may take longer, while somebody still reads the old one. */
async function whileHeld<T>(restoring: Restoring, work: (restoring: Restoring) => Promise<T>): Promise<T> {
  const { engine, tell } = restoring
  const letGo = await engine.holdWrites()
  tell('held')
  let held = true
  const release = (): void => {
    if (!held) return
    held = false
    engine.refresh()
    letGo()
  }
  try {
    return await work({
      ...restoring,
      tell: (step) => {
        if (step === 'replaced') release()
        tell(step)
      },
    })
  } finally {
    release()
  }
}

function replaceFile(restoring: Restoring, task: ReplaceTask): Promise<Replaced> {
  return inThread<Replaced>(restoring, './replace-worker', task)
}

function replaceTables(
  restoring: Restoring,
  given: Pick<ReplaceTablesTask, keyof RestoreDeed | 'staged' | 'rules' | 'patience'>,
): Promise<Replaced> {
  const { engine } = restoring
  const models = [...systemModels, ...restoring.models]
  const task: ReplaceTablesTask = {
    ...given,
    place: engine.place,
    definitions: createBareStatements(models, engine),
    references: referenceStatements(models, engine),
    tables: models.map((model) => planCopy(engine, tableOf(model))),
  }
  return inThread<Replaced>(restoring, './replace-tables-worker', task)
}
