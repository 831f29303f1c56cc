import { existsSync } from 'node:fs'
import type { Migrator } from '@strongroom/core'
import type { Given } from '../arguments/option.ts'
import { WrongUse } from '../faults.ts'
import type { Surroundings } from '../surroundings.ts'
import { loadAccessors } from './load-accessors.ts'
import { databaseUrl } from './open-target.ts'

/** A migrator, and what a command has to know beside it. */
export interface OpenedMigrator {
  readonly migrator: Migrator
  /** Who migrates. */
  readonly who: { readonly actor: string }
  /** Throws WrongUse where no models are said. */
  assertModels(what: string): void
  /** Throws WrongUse where there is no such file, unless it may be made. */
  assertExists(create: boolean): void
}

/** Finds the database and the migrations that a command works on. Nothing is opened yet. */
export async function openMigrations(given: Given, { env }: Surroundings): Promise<OpenedMigrator> {
  const said = given.text('database') ?? (env['DATABASE_URL']?.trim() || undefined)
  if (said === undefined) throw new WrongUse('Say which database: --database ./app.db, or set DATABASE_URL.')
  if (/^https?:\/\//i.test(said)) throw new WrongUse('Migrations are run on a database, and not through a server: say --database ./app.db.')
  const url = databaseUrl(said)
  const module = given.text('accessors')
  const loaded = module === undefined ? undefined : await loadAccessors(module)
  const core = loaded?.core ?? (await import('@strongroom/core'))
  const file = core.databaseFile(url)
  const exists = file === undefined || existsSync(file)
  return {
    migrator: await core.openMigrator({
      url,
      accessors: loaded?.accessors ?? [],
      migrations: given.text('migrations') ?? './migrations',
    }),
    who: { actor: given.text('user') ?? 'operator' },
    assertModels: (what) => {
      if (module === undefined)
        throw new WrongUse(`${what} needs the models: --accessors ./models.ts, a module that exports the accessors.`)
      assertFile(file, exists)
    },
    assertExists: (create) => assertFile(file, exists || create),
  }
}

function assertFile(file: string | undefined, exists: boolean): void {
  if (!exists) throw new WrongUse(`There is no database file ${file}. Say --create to make it, or correct its name.`)
}
