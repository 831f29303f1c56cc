import { registerHooks } from 'node:module'

/**
 * Loads a library whose entries get no place in the log as they are written, and so no hash, and whose head is neither read nor written: what a write
 * costs without the chain. Entries go into the log by the statement that any record is inserted with. The texts that are replaced have to be there: this fails when the code becomes
 * another one.
 */
const replaced: readonly (readonly [string, string])[] = [
  ['import { appendNext, appendRows }', 'import { appendNext, appendRows, insertRows }'],
  [
    '    if (!this.#log.engine.capabilities.serialWrites) {',
    `    if (this.#log.engine) {
      for (const entry of entries) entry.epoch = 1
      yield* insertRows(this.#log, connection, entries)
      return
    }
    if (!this.#log.engine.capabilities.serialWrites) {`,
  ],
]
registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    if (!/\/core\/(src|dist)\/audit\/record-change\.[jt]s$/.test(url)) return loaded
    let source = String(loaded.source)
    for (const [text, other] of replaced) {
      if (!source.includes(text)) throw new Error('The place where entries are chained is not where it was.')
      source = source.replace(text, other)
    }
    return { ...loaded, source }
  },
})
