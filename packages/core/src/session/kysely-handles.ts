import type { Kysely } from 'kysely'
import type { AnyDatabase, Engine } from '../engine/engine.ts'
import { UsageError } from '../errors.ts'
import { kyselyHandle } from './kysely-handle.ts'
import type { Session } from './session.ts'
import { wait } from './task.ts'
import type { Units } from './units.ts'

/** What the Kysely handles of a storage stand on. */
export interface KyselyHandlesParts {
  readonly engine: Engine
  readonly units: Units
  /** Tables, in lower case, that the audit log watches: nothing is written to them past it. */
  readonly watched: ReadonlySet<string>
}

/** The Kysely handle for use outside any transaction. */
export function outerHandle({ engine, units, watched }: KyselyHandlesParts): Kysely<AnyDatabase> {
  const outside = (): void => {
    if (!units.current()) return
    throw new UsageError('outer_handle', 'storage.kysely was used inside a transaction, which it is no part of. Use session.kysely there.')
  }
  return kyselyHandle({
    builder: engine.builder,
    isWatched: (table) => watched.has(table.toLowerCase()),
    unaudited: () => false,
    read: (work) => {
      outside()
      return engine.read(work, units.reach())
    },
    write: (work) => {
      outside()
      return units.run({ write: {}, alone: false }, (session) => wait(work(session.connection)))
    },
  })
}

/** The Kysely handle of a session. */
export function sessionHandle({ engine, units, watched }: KyselyHandlesParts, session: Session): Kysely<AnyDatabase> {
  return kyselyHandle({
    builder: engine.builder,
    isWatched: (table) => watched.has(table.toLowerCase()),
    unaudited: () => session.unaudited,
    read: (work) => units.readStatement(session, work),
    write: (work) => units.runStatement(session, work),
  })
}
