import { link, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../../errors.ts'
import type { MigrationPlan, Step } from './plan-migration.ts'
import { literalText } from './source-text.ts'

/** The text of a migration's file. */
export function migrationText({ up, down }: Pick<MigrationPlan, 'up' | 'down'>): string {
  return `import type { MigrationDatabase, SchemaEditor } from '@strongroom/core'

export async function up(_db: MigrationDatabase, schema: SchemaEditor): Promise<void> {
${stepsText(up)}}

export async function down(_db: MigrationDatabase, schema: SchemaEditor): Promise<void> {
${stepsText(down)}}
`
}

function stepsText(steps: readonly Step[]): string {
  if (steps.length === 0)
    return "  // Nothing of the tables changes. Statements of your own: await _db.updateTable('users')…\n  void [_db, schema]\n"
  return steps
    .map(({ method, args, comments }) => {
      const lines = comments.map((comment) => `  // ${comment.replaceAll(/[\r\n\u2028\u2029]/g, ' ')}\n`).join('')
      return `${lines}  await schema.${method}(${args.map((value) => literalText(value)).join(', ')})\n`
    })
    .join('')
}

/** The name of a new migration: the moment, so that it comes after those that there are, and what it is about. */
export function migrationName(title: string, now: Date): string {
  const words = title
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 100)
  if (words === '') throw new UsageError('invalid_options', 'A migration needs a name of letters and digits, e.g. add_nickname.')
  return `${now.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}_${words}`
}

/** Writes a migration's file where none is of that name. Answers its path. */
export async function writeMigrationFile(folder: string, name: string, text: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${name}.ts`)
  const passing = `${path}.${process.pid}.part`
  await writeFile(passing, text, { flag: 'wx' })
  try {
    // There as a whole, or not at all; a file of that name stays.
    await link(passing, path)
  } finally {
    await rm(passing, { force: true })
  }
  return path
}
