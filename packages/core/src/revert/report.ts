/** Why a record cannot go back. */
export type RevertConflictReason =
  /** Somebody else has changed it later. */
  | 'changed_later'
  /** It would point to a record that is not there. */
  | 'missing_target'
  /** A record that stays points to it. */
  | 'still_referenced'
  /** Another record has a value that it had alone. */
  | 'taken'
  /** What it was has been erased, or removed from the log. */
  | 'erased'
  /** It was removed for good, and has a secret that it needs and that is in no log. */
  | 'lost_secret'
  /** It and others would each have to go first. */
  | 'circle'
  /** Its component is none of this storage. */
  | 'unknown_component'
  /** The log does not tell record by record what was written. */
  | 'not_recorded'

/** A record that cannot go back. */
export interface RevertConflict {
  readonly component: string
  /** Its id; null for an entry that is about no record. */
  readonly recordId: number | string | null
  readonly reason: RevertConflictReason
  /** A sentence about it. */
  readonly message: string
  /** The audit entry that stands in the way, where there is one. */
  readonly entryId: number | null
}

/** What became of the records of one component. */
export interface RevertedComponent {
  readonly component: string
  /** Were gone, and are there again. */
  readonly created: number
  readonly updated: number
  /** Were deleted, and are back. */
  readonly restored: number
  /** Are gone, or marked as deleted: they were not there before. */
  readonly deleted: number
  /** Are what they were already. */
  readonly unchanged: number
}

/** What a revert did, or would do. */
export interface RevertReport {
  /** Whether anything was written: not by a dry run, and not where there are conflicts that are refused. */
  readonly applied: boolean
  readonly dryRun: boolean
  /** The request under which all of it stands in the log: give it to undo the revert. */
  readonly requestId: string
  /** It is what an earlier revert with the same `once` did: nothing was done now. */
  readonly replayed: boolean
  readonly components: readonly RevertedComponent[]
  /** Records that stay as they are, or for which everything was refused; the first 1,000. */
  readonly conflicts: readonly RevertConflict[]
  /** How many there are. */
  readonly conflictCount: number
}

/** Conflicts that are told one by one. */
export const mostConflicts = 1_000

/** A report in JSON form, as `POST /db/revert` answers it. */
export function revertReportToJson({ applied, dryRun, requestId, components, conflicts, conflictCount }: RevertReport): object {
  return {
    applied,
    dry_run: dryRun,
    request_id: requestId,
    components,
    conflicts: conflicts.map(({ component, recordId, reason, message, entryId }) => {
      return { component, record_id: recordId, reason, message, entry_id: entryId }
    }),
    conflict_count: conflictCount,
  }
}
