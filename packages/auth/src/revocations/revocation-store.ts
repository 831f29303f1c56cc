/**
 * Knows which tokens and sessions are no good any more. When it fails, nobody is let in: a method that throws, or takes longer than two
 * seconds, is a 503.
 */
export interface RevocationStore {
  /** Keeps ids until the moment after which nothing bears them any more. It holds when the promise resolves. */
  revoke(ids: readonly string[], until: Date): Promise<void>
  /** Those of the ids that are kept. */
  findRevoked(ids: readonly string[]): Promise<readonly string[]>
  /** Forgets what is over; left out where the store does that by itself. */
  sweep?(): Promise<void>
}
