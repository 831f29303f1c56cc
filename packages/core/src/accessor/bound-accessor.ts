import type { ModelAccess } from '../access/model-access.ts'
import type { ChangeSource } from '../audit/change-events.ts'
import type { Moments } from '../audit/moments.ts'
import type { AuditSubject, AuditWriter } from '../audit/record-change.ts'
import type { HookRegistry } from '../hooks/registry.ts'
import type { Once } from '../idempotency/once.ts'
import type { AnyModel, Field } from '../model/model.ts'
import type { BoundTable } from '../query/bound-table.ts'
import type { Principal } from '../session/principal.ts'
import type { Units } from '../session/units.ts'

/** A field of one model that points to records of another. */
export interface Link {
  readonly field: Field
  readonly source: BoundAccessor
  readonly target: BoundAccessor
}

/** An accessor in an open storage: everything that its verbs need. */
export interface BoundAccessor {
  readonly model: AnyModel
  readonly component: string
  readonly hooks: HookRegistry
  readonly table: BoundTable
  readonly units: Units
  readonly audit: AuditWriter
  /** Finds the past in the log. */
  readonly moments: Moments
  /** Follows what is changed. */
  readonly feed: ChangeSource
  /** The names of what was erased. */
  readonly erasures: BoundTable
  readonly once: Once
  readonly subject: AuditSubject
  /** Who may do what; undefined where nobody said any rules. */
  readonly access: ModelAccess | undefined
  /** What holds for a principal: the rules and its scopes; undefined where it has none and nobody said any rules. */
  readonly accessFor: (principal: Principal) => ModelAccess | undefined
  /** The most live records that the model may have; `limitRecords` can lower it. */
  maxRecords: number | undefined
  /** Fields of this model that point elsewhere. */
  readonly references: readonly Link[]
  /** Fields of other models, and of this one, that point here. */
  readonly referrers: readonly Link[]
}
