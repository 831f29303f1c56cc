import { Readable } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { mainLoad } from './main-load.ts'
import { type FromWorker, heardError, type ToWorker, type WorkerData } from './messages.ts'
import { threadLimits } from './thread-limits.ts'

export { moduleUrl } from '../../engine/module-url.ts'

/** The bytes that a thread makes, and its report when it is through. */
export interface WorkerOutput<Report> {
  /** Destroying it ends the thread. */
  readonly bytes: Readable
  /** Resolves when all bytes are made; rejects with what went wrong, or when the bytes are not wanted any more. */
  readonly report: Promise<Report>
}

/**
 * Runs a module in a thread of its own that makes bytes, no faster than they are taken.
 *
 * @param module made by `moduleUrl`
 * @param task plain data
 * @param onStep is told where the work stands, where it tells
 */
export function runInWorker<Report>(module: URL, task: unknown, onStep?: (step: string) => void): WorkerOutput<Report> {
  const workerData: WorkerData = { task, load: mainLoad.cell }
  const worker = new Worker(module, { workerData, name: 'strongroom', resourceLimits: threadLimits })
  const endWatch = mainLoad.watch()
  const { promise, resolve, reject } = Promise.withResolvers<Report>()
  // Whoever wants the bytes alone hears of failures there.
  promise.catch(() => undefined)
  let done = false
  const more: ToWorker = { type: 'more' }
  const bytes = new Readable({
    read: () => worker.postMessage(more),
    destroy: (error, callback) => {
      if (!done) reject(error ?? new Error('The bytes are not wanted any more.'))
      worker.terminate().then(() => callback(error), callback)
    },
  })
  worker.on('message', (message: FromWorker) => {
    if (message.type === 'bytes') return void bytes.push(message.bytes)
    if (message.type === 'step') return onStep?.(message.step)
    if (message.type === 'failed') return void bytes.destroy(heardError(message.error))
    done = true
    // The module at the URL says what it reports.
    resolve(message.report as Report)
    bytes.push(null)
  })
  worker.on('error', (error) => bytes.destroy(error))
  worker.on('exit', () => {
    endWatch()
    if (!done) bytes.destroy(new Error('The thread ended before its work was done.'))
  })
  return { bytes, report: promise }
}
