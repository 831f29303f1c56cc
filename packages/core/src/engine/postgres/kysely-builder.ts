import { type Driver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { UsageError } from '../../errors.ts'
import type { AnyDatabase } from '../engine.ts'

const refuse = (): Promise<never> =>
  Promise.reject(
    new UsageError('outer_handle', 'This Kysely instance only builds statements. Run them through the storage or its session.'),
  )

const refusingDriver: Driver = {
  init: async () => {},
  acquireConnection: refuse,
  beginTransaction: refuse,
  commitTransaction: refuse,
  rollbackTransaction: refuse,
  releaseConnection: async () => {},
  destroy: async () => {},
}

/** Builds and compiles statements for PostgreSQL; it executes nothing. */
export function kyselyBuilder(): Kysely<AnyDatabase> {
  return new Kysely<AnyDatabase>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => refusingDriver,
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}
