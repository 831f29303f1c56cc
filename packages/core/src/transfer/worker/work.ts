import { Writable } from 'node:stream'
import { parentPort, workerData } from 'node:worker_threads'
import { type FromWorker, type ToWorker, tellError, type WorkerData } from './messages.ts'

/**
 * Does the work of a thread that `runInWorker` started: what is written goes to the main thread, no faster than it is taken there.
 *
 * @param run gets the task, the place to write to, and whom to tell where it stands; it answers the report
 */
export async function work<Task>(run: (task: Task, output: Writable, tell: (step: string) => void) => Promise<unknown>): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('This module runs in a thread that the library starts.')
  const send = (message: FromWorker, given: readonly ArrayBuffer[] = []): void => port.postMessage(message, given)
  let wanted = 0
  let waiting: (() => void) | undefined
  port.on('message', (_more: ToWorker) => {
    wanted++
    waiting?.()
  })
  const output = new Writable({
    write: (chunk: Uint8Array, _encoding, callback) => {
      const go = (): void => {
        waiting = undefined
        wanted--
        // As it is, all the memory would go that the chunk is a part of.
        const bytes = new Uint8Array(chunk)
        send({ type: 'bytes', bytes }, [bytes.buffer])
        callback()
      }
      if (wanted > 0) go()
      else waiting = go
    },
  })
  try {
    // Whoever starts the thread says what its task is.
    send({ type: 'done', report: await run((workerData as WorkerData).task as Task, output, (step) => send({ type: 'step', step })) })
  } catch (error) {
    send({ type: 'failed', error: tellError(error) })
  } finally {
    port.close()
  }
}
