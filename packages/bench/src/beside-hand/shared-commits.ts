import type { Database } from 'better-sqlite3'

interface Waiting {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * What somebody writes by hand who knows of shared commits: those that wait at a turn of the event loop share one, each in a savepoint, and hear nothing
 * before it.
 */
export function shareCommits(database: Database): <T>(work: () => T) => Promise<T> {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const rollback = database.prepare('ROLLBACK')
  const savepoint = database.prepare('SAVEPOINT member')
  const release = database.prepare('RELEASE member')
  const undo = database.prepare('ROLLBACK TO member')
  let waiting: Waiting[] = []
  const runMember = ({ work, resolve, reject }: Waiting): (() => void) => {
    savepoint.run()
    try {
      const value = work()
      release.run()
      return () => resolve(value)
    } catch (error) {
      undo.run()
      release.run()
      return () => reject(error)
    }
  }
  const turn = (): void => {
    const group = waiting
    waiting = []
    try {
      begin.run()
      const outcomes = group.map(runMember)
      commit.run()
      for (const tell of outcomes) tell()
    } catch (error) {
      if (database.inTransaction) rollback.run()
      for (const { reject } of group) reject(error)
    }
  }
  return <T>(work: () => T) =>
    new Promise<T>((resolve, reject) => {
      // The work of this member answers a T.
      waiting.push({ work, resolve: resolve as (value: unknown) => void, reject })
      if (waiting.length === 1) setImmediate(turn)
    })
}
