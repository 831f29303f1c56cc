import { registerHooks } from 'node:module'

/**
 * Loads a library whose entries get no place in the log as they are written, and so no hash, and whose head is neither read nor written: what a write costs without the chain.
 * Everything else of it is the same: entries of units that share a commit are put off until then, and go into the log together. The texts that are replaced have to be there: this
 * fails when the code becomes another one.
 */
const replaced: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'record-change': [
    [
      '    const { places, head } = chainEntries(yield* headToFollow(tables, connection), entries)',
      `    if (tables) {
      for (const entry of entries) entry.epoch = 1
      yield* writeEntries(tables, connection, entries, {})
      return
    }
    const { places, head } = chainEntries(yield* headToFollow(tables, connection), entries)`,
    ],
  ],
  'head-row': [
    // What the database counts is the id of an entry, whatever it is.
    ['if (!(yield* appendNext(tables.log, connection, entries))) throw miscounted()', 'yield* appendNext(tables.log, connection, entries)'],
    ['if (runTask(appendNext(log, connection, rows)) !== true) throw miscounted()', 'runTask(appendNext(log, connection, rows))'],
    ['void connection.run(headStatement(head, value, sealedAt))', ''],
    ['yield* writeHead(tables, connection, stand, sealedAt)', ''],
  ],
}
registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    const [, name = ''] = /\/core\/(?:src|dist)\/audit\/([a-z-]+)\.[jt]s$/.exec(url) ?? []
    let source = String(loaded.source)
    for (const [text, other] of replaced[name] ?? []) {
      if (!source.includes(text)) throw new Error('The place where entries are chained is not where it was.')
      source = source.replace(text, other)
    }
    return replaced[name] ? { ...loaded, source } : loaded
  },
})
