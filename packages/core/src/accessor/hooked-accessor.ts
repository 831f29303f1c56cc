import type { CommitHook, Hook, HookMoment } from '../hooks/events.ts'
import { HookRegistry } from '../hooks/registry.ts'
import type { AnyModel } from '../model/model.ts'

/** The part of an accessor that takes hooks. */
export abstract class HookedAccessor<Model extends AnyModel> {
  /** @internal */
  protected readonly hooks: HookRegistry

  constructor(model: Model, component: string) {
    this.hooks = new HookRegistry(model, component)
  }

  /** Runs before a record is inserted and validated; may change `record`, may be async. A throw rolls the unit back. */
  beforeInsert(hook: Hook<Model>): this {
    return this.#addHook('beforeInsert', hook)
  }

  /** Runs after a record and its audit entry are written, in the transaction. */
  afterInsert(hook: Hook<Model>): this {
    return this.#addHook('afterInsert', hook)
  }

  /** Runs before a record is changed and validated; may change `record`; `previous` is the record as it stands. */
  beforeUpdate(hook: Hook<Model>): this {
    return this.#addHook('beforeUpdate', hook)
  }

  /** Runs after a changed record and its audit entry are written, in the transaction. Not called when nothing changed. */
  afterUpdate(hook: Hook<Model>): this {
    return this.#addHook('afterUpdate', hook)
  }

  /** Runs before a record is deleted, soft-deleted or purged (`operation` tells), also by a cascade. */
  beforeDelete(hook: Hook<Model>): this {
    return this.#addHook('beforeDelete', hook)
  }

  /** Runs after a record is deleted, soft-deleted or purged, in the transaction. */
  afterDelete(hook: Hook<Model>): this {
    return this.#addHook('afterDelete', hook)
  }

  /** Runs before a soft-deleted record is restored. */
  beforeRestore(hook: Hook<Model>): this {
    return this.#addHook('beforeRestore', hook)
  }

  /** Runs after a record is restored, in the transaction. */
  afterRestore(hook: Hook<Model>): this {
    return this.#addHook('afterRestore', hook)
  }

  /** Runs after the unit has committed, outside it, before the write's promise resolves; a throw is logged and harms nobody. */
  afterCommit(hook: CommitHook<Model>): this {
    // The registry keeps hooks of all models alike; they are called with this model's records only.
    this.hooks.commitHooks.push(hook as unknown as CommitHook)
    return this
  }

  #addHook(moment: HookMoment, hook: Hook<Model>): this {
    // The registry keeps hooks of all models alike; they are called with this model's records only.
    this.hooks.add(moment, hook as unknown as Hook)
    return this
  }
}
