import { type Driver, Kysely, type LimitNode, type OffsetNode, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { UsageError } from '../../errors.ts'
import type { AnyDatabase } from '../engine.ts'

/** Makes the Kysely instance that builds and compiles statements for SQLite and executes none. */
export function sqliteBuilder(): Kysely<AnyDatabase> {
  return new Kysely<AnyDatabase>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new RefusingDriver(),
      createIntrospector: (database) => new SqliteIntrospector(database),
      createQueryCompiler: () => new LastingQueryCompiler(),
    },
  })
}

/**
 * A plain parameter as LIMIT is part of the plan for SQLite: each value that is bound to it has the statement prepared anew, which takes longer than to
 * read a record (measured). A sum is none.
 */
class LastingQueryCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    super.visitLimit(node)
    this.append(' + 0')
  }

  protected override visitOffset(node: OffsetNode): void {
    super.visitOffset(node)
    this.append(' + 0')
  }
}

class RefusingDriver implements Driver {
  async init(): Promise<void> {}
  async destroy(): Promise<void> {}
  async acquireConnection(): Promise<never> {
    return refuse()
  }
  async releaseConnection(): Promise<void> {}
  async beginTransaction(): Promise<never> {
    return refuse()
  }
  async commitTransaction(): Promise<never> {
    return refuse()
  }
  async rollbackTransaction(): Promise<never> {
    return refuse()
  }
}

function refuse(): never {
  throw new UsageError(
    'outer_handle',
    'This Kysely instance only builds statements. Use storage.kysely to run them, or session.kysely in a transaction.',
  )
}
