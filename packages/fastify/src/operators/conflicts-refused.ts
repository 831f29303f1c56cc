import { type RevertReport, StrongroomError } from '@strongroom/core'

/** Changes cannot be undone, and nothing was written. `issues` has the first of the records that stand against it. */
export class ConflictsRefused extends StrongroomError {
  readonly issues: readonly { readonly path: string; readonly message: string }[]
  readonly count: number

  constructor({ conflicts, conflictCount }: RevertReport) {
    const many = conflictCount === 1 ? 'One record cannot' : `${conflictCount} records cannot`
    super('state_conflict', `${many} go back, and nothing was changed. See errors, or undo the rest with "conflicts": "skip".`)
    this.issues = conflicts.map(({ component, recordId, message }) => {
      return { path: recordId === null ? component : `${component}/${recordId}`, message }
    })
    this.count = conflictCount
  }
}
