import type { Statement, StoredRow } from '../engine.ts'
import { RowBatch } from '../row-batch.ts'
import type { Client } from './client.ts'

/** Batches that wait for whoever reads them: one is read while the next one arrives. */
const mostWaiting = 2

/** Reads rows in batches as the server sends them, no faster than they are wanted. Leaving it before its end ends the connection. */
export async function* readBatches(client: Client, statement: Statement, mostRows: number): AsyncGenerator<StoredRow[], void, undefined> {
  const batch = new RowBatch(mostRows)
  const ready: StoredRow[][] = []
  let wake = (): void => undefined
  let ended = false
  const add = (rows: StoredRow[] | undefined): void => {
    if (!rows) return
    ready.push(rows)
    if (ready.length >= mostWaiting) flow.pause()
    wake()
  }
  const flow = client.flow(statement, (row) => add(batch.add(row)))
  const end = flow.ended
    .then(() => add(batch.rest()))
    .finally(() => {
      ended = true
      wake()
    })
  // Whoever reads hears of it below.
  end.catch(() => undefined)
  try {
    for (;;) {
      const rows = ready.shift()
      // What arrives together may be more than that: nothing more is asked for until it is used up.
      if (ready.length < mostWaiting) flow.resume()
      if (rows) yield rows
      else if (ended) return await end
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    if (!ended) client.destroy()
  }
}
