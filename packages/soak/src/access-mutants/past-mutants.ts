import type { Mutant } from './mutants.ts'

const past = 'packages/core/src/accessor/past'

function mutant(place: string, file: string, from: string, to: string): Mutant {
  return { place, file: `${past}/${file}.ts`, from, to }
}

/** Where the past of records is held to the rules: by what they were, and by what they are now. */
export const pastMutants: readonly Mutant[] = [
  mutant(
    'the past: what a record was',
    'read-past',
    'settleLinks(conditionOf(bound.table, context, selection), connection, images)',
    'settleLinks(conditionOf(bound.table, { ...context, asked: false }, selection), connection, images)',
  ),
  mutant(
    'the past: what a record is now',
    'read-past',
    'const readable = yield* idsThere(bound, connection, context, ids)',
    'const readable = yield* idsThere(bound, connection, undefined, ids)',
  ),
  mutant(
    'the past: a record that has not changed since',
    'read-past',
    ': yield* selectRows(bound.table, connection, context, { ...selection, order: [] })',
    ': yield* selectRows(bound.table, connection, { ...context, asked: false }, { ...selection, order: [] })',
  ),
  mutant(
    'history: the record as it is now',
    'record-history',
    'const isVisible = there.size > 0 && (yield* idsThere(bound, connection, context, [known])).size > 0',
    'const isVisible = there.size > 0 && (yield* idsThere(bound, connection, undefined, [known])).size > 0',
  ),
  mutant(
    'history: which entries',
    'record-history',
    'const isSieved = isHeld(bound, { ...context, asked: true })',
    'const isSieved = false',
  ),
  mutant(
    'history: the tenant of its entries',
    'record-history',
    'allOf(entriesOf(bound, id), ownEntries(context))',
    'entriesOf(bound, id)',
  ),
  mutant('history: the images of its entries', 'readable-images', '{ ...context, asked: true }', '{ ...context, asked: false }'),
  mutant(
    'revert: what it was',
    'revert-record',
    'return seen.length > 0 ? state.image : undefined',
    'return seen.length >= 0 ? state.image : undefined',
  ),
  mutant(
    'revert: that a record which is gone was there',
    'revert-record',
    "if (!state || (isSecret && state.type !== 'record')) return previous",
    'if (!state) return previous',
  ),
]
