import type { Operation } from '../hooks/events.ts'

/** A unit of work that has ended. */
export interface EndedUnit {
  /** Milliseconds until its work began: on SQLite until the one writer was free, on PostgreSQL until there was a connection with a transaction. */
  readonly wait: number
  /** Milliseconds until its end was known, with the wait. */
  readonly duration: number
  /** How often its work was begun: more than once where it was undone through no fault of its own, and 0 where its turn never came. */
  readonly tries: number
  readonly outcome: 'committed' | 'dry_run' | 'failed'
  /** The code of the error that it failed with; `unknown` of one that is not the library's, null where it did not fail. */
  readonly code: string | null
}

/** Records of one component that were written, and committed, by one call. */
export interface WrittenRecords {
  readonly component: string
  readonly operation: Operation
  /** There are as many audit entries. */
  readonly count: number
}

/** A job of this process that has begun, and then one that has ended. */
export interface SeenJob {
  readonly id: string
  readonly kind: string
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
}

/** A piece of work with a beginning and an end. */
export interface PieceOfWork {
  readonly kind: 'transaction' | 'hook' | 'job'
  /** What it is among its kind: `beforeInsert`, `import`. */
  readonly name: string
  /** The component that it is about; null where it is about none. */
  readonly component: string | null
  /** The transaction or job; null where it has no name of its own. */
  readonly id: string | null
}

/**
 * Is told what a storage does, for metrics and traces. What is left out costs nothing. All of it has to be quick, and must not throw.
 *
 * @example openStorage({ url, accessors, observer: { recordsWritten: ({ component, count }) => counter.inc({ component }, count) } })
 */
export interface StorageObserver {
  /** A unit of work has ended; those that are nested in it belong to it. */
  readonly unitEnded?: ((unit: EndedUnit) => void) | undefined
  /** Records were written, and the unit that did it is committed. */
  readonly recordsWritten?: ((written: WrittenRecords) => void) | undefined
  /** A job has begun, or ended. */
  readonly jobSeen?: ((job: SeenJob) => void) | undefined
  /** Runs a piece of work and hands back what it answers, which may be a promise. It has to call `code` once, at once. */
  readonly around?: (<T>(work: PieceOfWork, code: () => T) => T) | undefined
}
