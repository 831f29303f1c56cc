import { setPriority } from 'node:os'

/** The most there is: a busy server takes 68 of 69 parts of a processor that it has to share, and the work gets on in the gaps that it leaves. */
const niceness = 19

/** Lets other threads go first where processors are few. Not for work that others wait for. */
export function stepBack(): void {
  // Linux alone counts the priority by thread (sched(7)); elsewhere the whole process would step back.
  if (process.platform === 'linux') setPriority(niceness)
}
