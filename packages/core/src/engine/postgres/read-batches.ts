import type { Statement, TakeRow } from '../engine.ts'
import { RowBatch } from '../row-batch.ts'
import { takeRows } from '../take-rows.ts'
import type { ArrivingRow, Client } from './client.ts'
import type { PgQuery } from './driver.ts'

/** Batches that wait for whoever reads them: one is read while the next one arrives. */
const mostWaiting = 2

/** Reads rows in batches as the server sends them, no faster than they are wanted. Leaving it before its end ends the connection. */
export async function* readBatches<Row extends ArrivingRow>(
  client: Client,
  statement: Statement,
  mostRows: number,
  rowMode?: PgQuery['rowMode'],
): AsyncGenerator<Row[], void, undefined> {
  const batch = new RowBatch<Row>(mostRows)
  const ready: Row[][] = []
  let wake = (): void => undefined
  let ended = false
  const add = (rows: Row[] | undefined): void => {
    if (!rows) return
    ready.push(rows)
    if (ready.length >= mostWaiting) flow.pause()
    wake()
  }
  const flow = client.flow<Row>(statement, (row) => add(batch.add(row)), rowMode)
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

/** Rows that arrive together. */
const mostTogether = 1_000

/** Hands over row after row, as `Snapshot.eachRow` does. */
export async function readEachRow(client: Client, statement: Statement, take: TakeRow): Promise<void> {
  for await (const rows of readBatches<readonly unknown[]>(client, statement, mostTogether, 'array')) await takeRows(rows, take)
}
