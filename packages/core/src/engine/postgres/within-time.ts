import { QueryTimeoutError, TransactionTimeoutError } from '../../errors.ts'
import type { TimeBudget } from '../time-budget.ts'
import type { Client, Result } from './client.ts'

/** Milliseconds for the server to stop a statement before the connection is given up. */
const cancelWait = 1_000

/** The longest time that a timer can be set to, in milliseconds. */
const endOfTime = 2 ** 31 - 1

/**
 * Sends a statement and has the server stop it when its time is over. A timer here costs the server nothing; a `statement_timeout`
 * would have to be set and taken back around each unit, since one pool serves reads and writes.
 * @throws QueryTimeoutError; it has a cause when the server has stopped the statement, else the order to stop may still be on its way
 */
export async function withinTime(client: Client, time: TimeBudget | undefined, send: () => Promise<Result>): Promise<Result> {
  if (!time) return await send()
  let timer: NodeJS.Timeout | undefined
  let over = false
  const stop = (): void => {
    over = true
    client.cancel()
    timer = setTimeout(() => client.giveUp(), cancelWait)
  }
  timer = setTimeout(stop, Math.min(Math.ceil(time.begin()), endOfTime))
  try {
    const result = await send()
    if (over) throw new QueryTimeoutError()
    return result
  } catch (error) {
    const stopped = error instanceof TransactionTimeoutError
    if (stopped || over) throw new QueryTimeoutError(stopped ? { cause: error } : {})
    throw error
  } finally {
    clearTimeout(timer)
    time.end()
  }
}
