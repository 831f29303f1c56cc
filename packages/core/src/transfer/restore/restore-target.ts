import type { Engine } from '../../engine/engine.ts'
import type { AnyModel } from '../../model/model.ts'
import type { Migration } from '../../schema/migrate/migration.ts'
import type { Transfers } from '../transfers.ts'
import { reportOf } from '../worker/report-of.ts'
import { moduleUrl } from '../worker/run-in-worker.ts'
import type { LogVerdict } from './report.ts'
import type { RestoreModule } from './restore-modules.ts'
import type { RestoreStep } from './steps.ts'

/** What a restore works on. */
export interface RestoreTarget {
  readonly engine: Engine
  readonly models: readonly AnyModel[]
  readonly transfers: Transfers
  /** Those that an older file is brought up with. */
  readonly migrations?: readonly Migration[] | undefined
  /** Looks through the audit log of a staged file. */
  readonly verify: (staged: Engine) => Promise<LogVerdict>
  /** What the parts of the library have to say to it. */
  readonly modules: readonly RestoreModule[]
}

/** A restore that has begun. */
export interface Restoring extends RestoreTarget {
  /** Tells where it stands. */
  readonly tell: (step: RestoreStep) => void
}

/** Does a step of a restore in a thread of its own. */
export async function inThread<Report>({ transfers, tell }: Restoring, module: string, task: unknown): Promise<Report> {
  return await reportOf<Report>(transfers, {
    module: moduleUrl(module, import.meta.url),
    task,
    // Threads of this folder tell nothing else.
    onStep: (step) => tell(step as RestoreStep),
  })
}
