import type { Engine } from '../../engine/engine.ts'
import { ConflictError, SchemaMismatchError, ValidationError } from '../../errors.ts'
import { blocking, diffSchema } from '../../schema/diff/schema-diff.ts'
import { readStatus } from '../../schema/migrate/read-status.ts'
import type { Migrating } from '../../schema/migrate/run-migrations.ts'
import { prepareSchema } from '../../schema/prepare-schema.ts'
import { systemModels } from '../../schema/system-tables.ts'
import type { RestoreTarget } from './restore-target.ts'

/** Names that a sentence lists. */
const mostListed = 20

export function listed(names: readonly string[]): string {
  return `${names.slice(0, mostListed).join(', ')}${names.length > mostListed ? ` and ${names.length - mostListed} more` : ''}`
}

/**
 * Brings a staged file to the schema of the models: its pending migrations, and what a start does by itself. Answers what was done, a
 * sentence for each.
 * @throws ConflictError for a file of a newer schema, and for tables that nothing makes fit; MigrationError where its records stand against
 * a migration
 */
export async function bringUp(staged: Engine, target: RestoreTarget, who: Migrating): Promise<readonly string[]> {
  const { models, migrations } = target
  const pending = migrations ? await pendingIn(staged, migrations) : []
  const before = await staged.read((connection) => diffSchema(staged, connection, models))
  try {
    await prepareSchema(staged, models, { createTables: true, migrations, who })
  } catch (error) {
    if (!(error instanceof SchemaMismatchError)) throw error
    const advice =
      pending.length === 0 && before.system.length === 0 ? ' Its schema is another one, and no migration leads from it to this one.' : ''
    throw new ConflictError('state_conflict', `The file's tables do not fit the models: ${listed(error.differences)}.${advice}`)
  }
  await refuseStrangers(staged, target)
  const made = before.missing.map(({ name }) => `The table ${name} is made, empty.`)
  if (pending.length > 0) return [...pending.map((name) => `The migration ${name} is applied.`), ...made]
  const changed = blocking({ ...before, missing: [], system: [] })
  return [...changed, ...made]
}

async function pendingIn(staged: Engine, migrations: NonNullable<RestoreTarget['migrations']>): Promise<readonly string[]> {
  const { missing, pending } = await readStatus(staged, migrations)
  if (missing.length === 0) return pending
  throw new ConflictError(
    'state_conflict',
    `The file is of a newer schema: it has seen ${missing.length === 1 ? 'the migration' : 'the migrations'} ${listed(missing)}, which this program does not know. Restore it with the newer program.`,
  )
}

/** Tables that models had once were let in, for migrations to rename or remove. What is left of them is nobody's. */
async function refuseStrangers(staged: Engine, { engine, models }: RestoreTarget): Promise<void> {
  const namesIn = async (from: Engine): Promise<string[]> =>
    (await from.read((connection) => from.inspect(connection))).map(({ name }) => name)
  const known = new Set<string>([...systemModels, ...models].map(({ name }) => name))
  const live = engine.capabilities.oneFile ? new Set(await namesIn(engine)) : known
  const strangers = (await namesIn(staged)).filter((name) => !known.has(name) && !live.has(name))
  if (strangers.length === 0) return
  const tables = listed(strangers.map((name) => `table ${name}`))
  throw new ValidationError(`The file defines what this server does not know: ${tables}. Nothing of it was used.`)
}
