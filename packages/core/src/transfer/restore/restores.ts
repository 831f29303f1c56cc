import type { Readable } from 'node:stream'
import { ConflictError } from '../../errors.ts'
import { removeLeftoversSoon } from '../work-folder.ts'
import type { RestoreReport } from './report.ts'
import { type RestoreOptions, restoreFrom, workPlace } from './restore.ts'
import { restoreModules } from './restore-modules.ts'
import type { RestoreTarget } from './restore-target.ts'
import { undoRestore } from './undo-restore.ts'

/** The restores of one storage, one at a time. */
export class Restores {
  readonly #target: RestoreTarget
  #running = false

  /** Its modules come after the library's own. */
  constructor(target: RestoreTarget) {
    this.#target = { ...target, modules: [...restoreModules, ...target.modules] }
    // What a killed process has left is large.
    removeLeftoversSoon(workPlace(target.engine))
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
