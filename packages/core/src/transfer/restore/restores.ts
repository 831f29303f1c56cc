import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileOf } from '../../engine/database-place.ts'
import type { Engine } from '../../engine/engine.ts'
import { removeWithdrawn } from '../../engine/remove-file.ts'
import { ConflictError } from '../../errors.ts'
import { removeLeftoversSoon } from '../work-folder.ts'
import type { RestoreReport } from './report.ts'
import { type RestoreOptions, restoreFrom, workPlace } from './restore.ts'
import { restoreModules } from './restore-modules.ts'
import type { RestoreTarget } from './restore-target.ts'
import { safetyFolder } from './safety-copies.ts'
import { undoRestore } from './undo-restore.ts'

/** Milliseconds before each try to remove what killed restores have left in a database: a server takes a while to notice that they are gone. */
const tidyingPauses = [0, 2_000, 10_000, 60_000]

/** The restores of one storage, one at a time. */
export class Restores {
  readonly #target: RestoreTarget
  #running = false

  /** Its modules come after the library's own. */
  constructor(target: RestoreTarget) {
    this.#target = { ...target, modules: [...restoreModules, ...target.modules] }
    // What a killed process has left is large.
    removeLeftoversSoon(workPlace(target.engine))
    const file = fileOf(target.engine.place)
    if (file !== undefined) removeWithdrawn(safetyFolder(file)).catch(() => undefined)
    removeFromDatabase(target.engine).catch(() => undefined)
  }

  restore(source: string | Readable, options: RestoreOptions = {}): Promise<RestoreReport> {
    return this.#alone(() => restoreFrom(this.#target, source, options))
  }

  undo(options: RestoreOptions = {}): Promise<RestoreReport> {
    return this.#alone(() => undoRestore(this.#target, options))
  }

  async #alone(restore: () => Promise<RestoreReport>): Promise<RestoreReport> {
    if (this.#running) throw new ConflictError('state_conflict', 'Another restore is under way. Wait until it ends.')
    this.#running = true
    try {
      return await restore()
    } finally {
      this.#running = false
    }
  }
}

/** Nobody waits for it, and it ends when the database is closed. */
async function removeFromDatabase(engine: Engine): Promise<void> {
  for (const milliseconds of tidyingPauses) {
    await pause(milliseconds, undefined, { ref: false })
    if (await engine.removeLeftovers()) return
  }
}
