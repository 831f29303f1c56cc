/** What can be wrong with a log. */
export const auditFaultKinds = [
  'payload_changed',
  'payload_missing',
  'entry_changed',
  'link_changed',
  'not_linked',
  'missing',
  'out_of_order',
  'not_retained',
  'cut_off',
  'beyond_head',
  'head_changed',
  'without_place',
  'rewritten',
  'other_log',
] as const

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
