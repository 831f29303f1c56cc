import type { Mutant } from './mutants.ts'

const changes = 'packages/core/src/changes/visible-changes.ts'

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
    file: 'packages/core/src/changes/change-feed.ts',
    from: 'anew(units.callerOf(caller))',
    to: 'units.callerOf(caller)',
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
