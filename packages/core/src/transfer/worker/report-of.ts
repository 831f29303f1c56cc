import type { Transfers } from '../transfers.ts'
import { runInWorker } from './run-in-worker.ts'

/** Runs a module in a thread that makes no bytes, and answers its report. `signal` ends the thread. */
export async function reportOf<Report>(
  transfers: Transfers,
  { module, task, onStep }: { readonly module: URL; readonly task: unknown; readonly onStep?: (step: string) => void },
  signal?: AbortSignal,
): Promise<Report> {
  signal?.throwIfAborted()
  const { bytes, report } = transfers.track(() => runInWorker<Report>(module, task, onStep))
  // Reading on tells when it is through.
  bytes.on('error', () => undefined).resume()
  const end = (): void => void bytes.destroy(signal?.reason)
  signal?.addEventListener('abort', end, { once: true })
  try {
    return await report
  } catch (error) {
    // Its files can be removed when it has let go of them.
    if (!bytes.closed) await new Promise((resolve) => bytes.once('close', resolve))
    throw error
  } finally {
    signal?.removeEventListener('abort', end)
  }
}
