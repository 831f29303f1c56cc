import type { AnyModel } from '../model/model.ts'
import type { RowOf } from '../model/row-types.ts'
import type { Principal } from '../session/principal.ts'
import type { SessionOf, TablesOf } from '../session/tables.ts'

/** What a write does to a record: the word stands in the hook's event and in the audit entry. */
export type Operation = 'create' | 'update' | 'delete' | 'soft_delete' | 'restore' | 'purge'

/** The moments at which a hook can be called. All but `afterCommit` are inside the transaction. */
export type HookMoment =
  | 'beforeInsert'
  | 'afterInsert'
  | 'beforeUpdate'
  | 'afterUpdate'
  | 'beforeDelete'
  | 'afterDelete'
  | 'beforeRestore'
  | 'afterRestore'

/** What a hook inside the transaction is told. */
export interface HookEvent<Model extends AnyModel = AnyModel> {
  /** The record as it will be (before hooks may change it), or as it is now; for a delete, as it was. */
  readonly record: RowOf<Model>
  /** The record as it was before the write; null for an insert. */
  readonly previous: Readonly<RowOf<Model>> | null
  readonly operation: Operation
  /** The unit of work; accessors called in the hook join it by themselves. */
  readonly session: SessionOf<TablesOf<Model>>
  readonly actor: string
  /** The caller that the write is made for; null where the code acts for itself. */
  readonly principal: Principal | null
  readonly requestId: string | null
}

/** What an `afterCommit` hook is told: there is no session any more. */
export type CommitEvent<Model extends AnyModel = AnyModel> = Omit<HookEvent<Model>, 'session'>

/** A hook; the write waits for a promise. A throw rolls the whole unit back (a ValidationError answers 422). */
export type Hook<Model extends AnyModel = AnyModel> = (event: HookEvent<Model>) => unknown

/** A hook for side effects; a throw is logged and harms nobody. */
export type CommitHook<Model extends AnyModel = AnyModel> = (event: CommitEvent<Model>) => unknown
