import { parentPort, workerData } from 'node:worker_threads'
import { openEngineToRead } from '../../engine/open-engine.ts'
import { assertOwnSession } from '../../engine/own-session.ts'
import { tellError } from '../worker/messages.ts'
import { type Move, type MoveProgress, type MoveReport, move } from './move.ts'
import type { FromMover, MoveTask, ToMover } from './move-messages.ts'
import { connectWait, settle, targetPlace } from './moved-target.ts'

const port = parentPort
if (!port) throw new Error('This module runs in a thread that the library starts.')
const send = (message: FromMover): void => port.postMessage(message)
/** Batches between two that are told, where they are of the same table: each message costs the main thread memory, too. */
const quietBatches = 10

let heard = (_message: ToMover): void => undefined
port.on('message', (message: ToMover) => heard(message))

try {
  // Whoever starts the thread says what its task is.
  const { from, to, ...task } = workerData as MoveTask
  for (const url of [from, to]) await assertOwnSession(url, connectWait)
  const report = await moveFrom(from, { ...task, target: targetPlace(to), onProgress: tellSeldom() })
  await settle(to)
  send({ type: 'done', report })
} catch (error) {
  send({ type: 'failed', error: tellError(error) })
} finally {
  port.close()
}

async function moveFrom(from: string, given: Omit<Move, 'source'>): Promise<MoveReport> {
  const source = await openEngineToRead(from)
  try {
    return await move({ ...given, source })
  } finally {
    await source.close()
  }
}

function tellSeldom(): Move['onProgress'] {
  let told = ''
  let quiet = 0
  return async (progress) => {
    const place = `${progress.phase} ${progress.table}`
    if (place === told && progress.rows < progress.total && ++quiet < quietBatches) return
    told = place
    quiet = 0
    await tell(progress)
  }
}

function tell(progress: MoveProgress): Promise<void> {
  return new Promise((resolve, reject) => {
    heard = ({ goOn }) => (goOn ? resolve() : reject(new Error('The move is not wanted any more.')))
    send({ type: 'progress', progress })
  })
}
