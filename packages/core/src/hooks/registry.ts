import type { AnyModel } from '../model/model.ts'
import type { CommitHook, Hook, HookMoment } from './events.ts'

/** The hooks of one accessor, in the order in which they were registered. */
export class HookRegistry {
  /** Whose records the hooks are called with. */
  readonly model: AnyModel
  /** The accessor's name. */
  readonly component: string
  readonly #hooks: Record<HookMoment, Hook[]> = {
    beforeInsert: [],
    afterInsert: [],
    beforeUpdate: [],
    afterUpdate: [],
    beforeDelete: [],
    afterDelete: [],
    beforeRestore: [],
    afterRestore: [],
  }
  readonly commitHooks: CommitHook[] = []
  readonly #awaiting = new Set<HookMoment>()

  constructor(model: AnyModel, component: string) {
    this.model = model
    this.component = component
  }

  add(moment: HookMoment, hook: Hook): void {
    this.#hooks[moment].push(hook)
  }

  at(moment: HookMoment): readonly Hook[] {
    return this.#hooks[moment]
  }

  /** Remembers that a hook of this moment returned a promise: writes that call it must not share a commit. */
  noteAwait(moment: HookMoment): void {
    this.#awaiting.add(moment)
  }

  awaits(moments: readonly HookMoment[]): boolean {
    return this.#awaiting.size > 0 && moments.some((moment) => this.#awaiting.has(moment))
  }
}
