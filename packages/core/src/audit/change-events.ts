import type { ReadOptions } from '../session/options.ts'
import type { AuditEntry } from './entry.ts'

/** Which changes of a component's records. */
export interface RecordChangesOptions extends ReadOptions {
  /** The id of the last change that was seen: those after it come. `start` is before everything that the log has; from now on unless said. */
  readonly after?: string | undefined
}

/** Which changes. */
export interface ChangesOptions extends RecordChangesOptions {
  /** The changes of this component's records that the caller may read; unless said, the entries of the log that it may read, as `storage.audit` has them. */
  readonly component?: string | undefined
}

/** How long somebody waits. */
export interface ArrivalOptions {
  /** Milliseconds; until something arrives unless said. */
  readonly timeout?: number | undefined
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined
}

/** Which changes are followed, and until when. */
export type FollowOptions = ChangesOptions & Pick<ArrivalOptions, 'signal'>

/** What a reader of the feed is told. */
export type ChangeEvent =
  /** A record was changed. `id` is where the reader stands with it. */
  | { readonly type: 'change'; readonly id: string; readonly entry: AuditEntry }
  /**
   * The database was restored: some of what was told may never have been, and some of what was is not told. Whoever keeps a copy reads it
   * anew. The feed goes on after `id`.
   */
  | { readonly type: 'reset'; readonly id: string }

/** The next changes, as many as were asked for and are there. */
export interface ChangePage {
  /** The id of the reset that comes before the changes, or null where there is none. */
  readonly reset: string | null
  readonly changes: readonly { readonly id: string; readonly entry: AuditEntry }[]
  /** For `after` of the next page. It moves on also where nothing was for the caller. */
  readonly next: string
  /** Nothing more is there now. */
  readonly isLast: boolean
}

export interface ChangePageOptions extends ChangesOptions {
  /** The most changes to answer; 100 unless said. */
  readonly limit?: number | undefined
}

/** Where changes come from. */
export interface ChangeSource {
  /** The changes that come after a place, for ever: until the signal comes, or the storage is closed. */
  follow(options?: FollowOptions): AsyncGenerator<ChangeEvent, void, undefined>
  /**
   * The next changes after a place, without waiting for any. What the caller may read is asked anew for each page.
   * @throws InvalidQueryError for a place that is none; GoneError for one whose next changes were removed from the log; ForbiddenError for
   * a component of which the caller may read nothing; UsageError `invalid_options` for one that there is not
   */
  page(options?: ChangePageOptions): Promise<ChangePage>
  /**
   * Waits until something comes after a place that the feed has reached, whoever it is for. Answers whether it did: not when the time was
   * over, or the signal came.
   */
  wait(place: string, options?: ArrivalOptions): Promise<boolean>
}
