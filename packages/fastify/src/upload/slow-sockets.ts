import type { Duplex } from 'node:stream'

const slow = new WeakSet<Duplex>()

/** Spares a connection the time limit of requests: a large file takes as long as its line needs. Answers what ends that. */
export function takesItsTime(socket: Duplex): () => void {
  slow.add(socket)
  return () => slow.delete(socket)
}

/** Whether the time limit of requests is not for this connection. */
export function mayTakeItsTime(socket: Duplex): boolean {
  return slow.has(socket)
}
