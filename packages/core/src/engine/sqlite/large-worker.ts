import { parentPort, workerData } from 'node:worker_threads'
import { TimeBudget } from '../time-budget.ts'
import { SqliteConnection } from './connection.ts'
import { loadDriver } from './driver.ts'
import { openWriter } from './handle.ts'
import { type LargeAnswer, type LargeCall, type LargeTask, tellFailure } from './large-messages.ts'
import { packRows } from './packed.ts'
import { TransactionControl } from './transaction-control.ts'

const port = parentPort
if (!port) throw new Error('This module runs in a thread that the library starts.')
// Whoever starts the thread says what its task is.
const handle = openWriter({ driver: await loadDriver(), ...(workerData as LargeTask) })
const { database } = handle
const control = new TransactionControl(handle)
const connection = new SqliteConnection(handle, Number.POSITIVE_INFINITY)
// Bringing the log into the file comes after the answer, and is another thread's work.
database.pragma('wal_autocheckpoint = 0')

port.on('message', (calls: readonly LargeCall[]) => {
  let answer: LargeAnswer = { value: undefined }
  try {
    for (const call of calls) answer = { value: perform(call) }
  } catch (error) {
    answer = { error: tellFailure(error) }
  }
  port.postMessage(answer)
  if (calls.at(-1)?.name === 'leave') port.close()
})

function perform(call: LargeCall): unknown {
  switch (call.name) {
    case 'begin':
      return control.begin()
    case 'all':
      return packRows(connection.all(call.statement, call.left === undefined ? undefined : new TimeBudget(call.left)))
    case 'run':
      return connection.run(call.statement)
    case 'raw':
      return connection.raw(call.statement, { write: call.write })
    case 'savepoint':
    case 'release':
    case 'rollbackTo':
      return connection[call.name](call.savepoint)
    case 'commit':
      if (connection.failure) throw connection.failure
      return control.commit()
    case 'rollBack':
      return control.rollBack()
    case 'leave':
      return database.close()
  }
}
