import type { Engine } from '../engine/engine.ts'
import type { AnyModel } from '../model/model.ts'

/** Knows whether records have changed, without reading them. */
export interface ChangeWatch {
  /**
   * Answers a function that gives a number, which has grown whenever a commit of whichever process may have changed records of these
   * accessors: what was read after one call holds as long as the next calls give the same number. It costs some microseconds. On
   * PostgreSQL, which cannot tell at once, it gives undefined: then read again.
   * @example
   * const mark = storage.watch([users])
   * const before = mark()
   * const ada = await users.get(1)
   * if (before === undefined || before !== mark()) console.log('read again')
   */
  watch(accessors: readonly { readonly model: AnyModel }[]): () => number | undefined
}

/** Watches the tables of models. */
export function watchModels(engine: Engine, accessors: readonly { readonly model: AnyModel }[]): () => number | undefined {
  return engine.watch(accessors.map(({ model }) => model.name)) ?? (() => undefined)
}
