import type { Mutant } from './mutants.ts'

const changes = 'packages/core/src/changes/visible-changes.ts'
const feed = 'packages/core/src/changes/change-feed.ts'

/** The feed of changes, which is open for longer than what was known of its reader when it came. */
export const changeMutants: readonly Mutant[] = [
  {
    place: 'changes: records that may be read',
    file: changes,
    from: 'isHeld(bound, { ...context, asked: true }) ? yield* sieve(bound, connection, context, rows) : rows',
    to: 'rows',
  },
  { place: 'changes: images that may be read', file: changes, from: 'before !== undefined && mayRead(before)', to: 'before !== undefined' },
  {
    place: 'changes: records that may not be read any more',
    file: changes,
    from: 'const isClosed = closed.has(idOf(bound, row))',
    to: 'const isClosed = false',
  },
  {
    place: 'changes: rules as they are now',
    file: feed,
    from: 'anew(units.callerOf(caller))',
    to: 'units.callerOf(caller)',
  },
  {
    place: 'changes: the tenant of the entries of a component',
    file: feed,
    from: 'filter: allOf(own, filter) })',
    to: 'filter })',
  },
  {
    place: 'changes: entries of all components',
    file: feed,
    from: 'if (!bound) return yield* selectRows(log, connection, context, {',
    to: 'if (!bound) return yield* selectRows(log, connection, librarian(context), {',
  },
  { place: 'changes: a component that may not be read', file: feed, from: 'if (bound) modelFor(bound, reader)', to: '' },
  {
    place: 'changes: hidden fields of all components',
    file: feed,
    from: 'shownEntry(entry, limitsIn(components, entry.component, context))',
    to: 'shownEntry(entry, limitsIn(components, entry.component, librarian(context)))',
  },
  {
    place: 'changes: whoever asks as that is now',
    file: 'packages/fastify/src/auth/identity.ts',
    from: 'const principal = await identify(auth, again)',
    to: 'const principal = await identify(auth, request)',
  },
  {
    place: 'changes: operators as they are now',
    file: 'packages/fastify/src/changes/feed-reader.ts',
    from: 'await check(request)',
    to: '',
  },
]
