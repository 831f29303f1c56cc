import { setPriority } from 'node:os'

/** Nice enough that a busy server takes 29 of 30 parts of a processor that it has to share, and the work still gets on. */
const niceness = 15

/** Lets other threads go first where processors are few. Not for work that others wait for. */
export function stepBack(): void {
  // Linux alone counts the priority by thread (sched(7)); elsewhere the whole process would step back.
  if (process.platform === 'linux') setPriority(niceness)
}
