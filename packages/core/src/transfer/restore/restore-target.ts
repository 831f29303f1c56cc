import type { Engine } from '../../engine/engine.ts'
import type { AnyModel } from '../../model/model.ts'
import type { Transfers } from '../transfers.ts'
import { moduleUrl, runInWorker } from '../worker/run-in-worker.ts'

/** What a restore works on. */
export interface RestoreTarget {
  readonly engine: Engine
  readonly models: readonly AnyModel[]
  readonly transfers: Transfers
}

/** Does a step of a restore in a thread of its own. */
export async function inThread<Report>({ transfers }: RestoreTarget, module: string, task: unknown): Promise<Report> {
  const { bytes, report } = transfers.track(() => runInWorker<Report>(moduleUrl(module, import.meta.url), task))
  bytes.on('error', () => undefined).resume()
  return report
}
