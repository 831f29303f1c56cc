import { Worker } from 'node:worker_threads'
import { moduleUrl } from '../../engine/module-url.ts'
import { heardError } from '../worker/messages.ts'
import { threadLimits } from '../worker/thread-limits.ts'
import type { MoveProgress, MoveReport } from './move.ts'
import type { FromMover, MoveTask, ToMover } from './move-messages.ts'

export interface MoveListener {
  /** Ends the move between two batches. */
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: MoveProgress) => void
}

/** Moves a database in a thread of its own: a file is read and written without waiting, which would hold everybody else up. */
export async function moveInThread(task: MoveTask, { signal, onProgress }: MoveListener): Promise<MoveReport> {
  signal?.throwIfAborted()
  const worker = new Worker(moduleUrl('./move-worker', import.meta.url), {
    workerData: task,
    name: 'strongroom move',
    resourceLimits: threadLimits,
  })
  const { promise, resolve, reject } = Promise.withResolvers<MoveReport>()
  let stopped: { readonly reason: unknown } | undefined
  const hear = (progress: MoveProgress): ToMover => {
    try {
      onProgress(progress)
      signal?.throwIfAborted()
    } catch (reason) {
      stopped = { reason }
    }
    return { goOn: stopped === undefined }
  }
  worker.on('message', (message: FromMover) => {
    if (message.type === 'progress') worker.postMessage(hear(message.progress))
    else if (message.type === 'done') resolve(message.report)
    else reject(stopped ? stopped.reason : heardError(message.error))
  })
  worker.on('error', reject)
  worker.on('exit', () => reject(new Error('The thread ended before the move was done.')))
  try {
    return await promise
  } finally {
    // What it had open is let go when its answer is there; nothing of it is left to end.
    await worker.terminate()
  }
}
