import type { auditFaultKinds } from '@strongroom/contract'

/** What can be wrong with a log. */
export type AuditFaultKind = (typeof auditFaultKinds)[number]

/** The first thing that is wrong with a log. */
export interface AuditFault {
  readonly kind: AuditFaultKind
  /** The position of the first entry that is bad, or is not there; null where it is none's. */
  readonly position: number | null
  /** Where it cannot be told which of several entries it is: the last of them. */
  readonly through: number | null
  /** The id of the entry, where it is there. */
  readonly id: number | null
  /** What is wrong, in a sentence. */
  readonly detail: string
}
