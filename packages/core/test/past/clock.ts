import { setImmediate as nextTurn } from 'node:timers/promises'

/** The clock's time once it has gone on from another one: what is written before and after has other times then. */
export async function laterThan(time = new Date()): Promise<Date> {
  for (;;) {
    const now = new Date()
    if (now.getTime() > time.getTime()) return now
    await nextTurn()
  }
}
