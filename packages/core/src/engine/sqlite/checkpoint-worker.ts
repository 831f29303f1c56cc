import { workerData } from 'node:worker_threads'
import { loadDriver } from './driver.ts'

/** Milliseconds for which writers may be kept waiting until all readers of the log are through. */
const patience = 100

/** Pages of the log that are brought into the file while writers wait. */
const fewPages = 1_000

/** Looks at the log so often: writers add to it while it is brought into the file. */
const mostPasses = 10

const driver = await loadDriver()
// Whoever starts the thread names the file.
const database = new driver(workerData as string, { fileMustExist: true, timeout: patience })
try {
  database.pragma('synchronous = FULL')
  for (let pass = 0; pass < mostPasses; pass++) {
    // One row of SQLite's own.
    const [row] = database.pragma('wal_checkpoint(PASSIVE)') as { readonly log: number; readonly checkpointed: number }[]
    if (row && row.log - row.checkpointed <= fewPages) break
  }
  // Nearly all is there: the rest, and the cut, are the work of a moment.
  database.pragma('wal_checkpoint(TRUNCATE)')
} finally {
  database.close()
}
