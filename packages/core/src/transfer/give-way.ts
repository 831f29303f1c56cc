import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'

/** Milliseconds after which a turn of the event loop tells that others are at it. */
const shortTurn = 1

/** How many times as long as a turn of the others took, the next piece waits. */
const patience = 2

/**
 * Lets others have the event loop after a piece of work, such as 64 KiB of a file: for a turn, and for longer where it was busy. Who has it for
 * himself goes on at once.
 */
export async function giveWay(sleep: (milliseconds: number) => Promise<unknown> = pause): Promise<void> {
  const began = performance.now()
  await nextTurn()
  const took = performance.now() - began
  if (took >= shortTurn) await sleep(took * patience)
}
