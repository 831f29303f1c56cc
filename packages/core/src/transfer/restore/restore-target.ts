import type { Engine } from '../../engine/engine.ts'
import type { AnyModel } from '../../model/model.ts'
import type { Transfers } from '../transfers.ts'
import { reportOf } from '../worker/report-of.ts'
import { moduleUrl } from '../worker/run-in-worker.ts'

/** What a restore works on. */
export interface RestoreTarget {
  readonly engine: Engine
  readonly models: readonly AnyModel[]
  readonly transfers: Transfers
}

/** Does a step of a restore in a thread of its own. */
export async function inThread<Report>({ transfers }: RestoreTarget, module: string, task: unknown): Promise<Report> {
  return await reportOf<Report>(transfers, { module: moduleUrl(module, import.meta.url), task })
}
