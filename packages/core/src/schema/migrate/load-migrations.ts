import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../../errors.ts'
import type { Migration, MigrationSource } from './migration.ts'

const filePattern = /^([a-z0-9][\w-]*)\.(?:ts|mts|js|mjs)$/i
const namePattern = /^[a-z0-9][\w-]{0,199}$/i

/** Finds migrations, in the order of their names. Throws UsageError `invalid_options` where they are none. */
export async function loadMigrations(source: MigrationSource): Promise<readonly Migration[]> {
  const found = typeof source === 'string' ? await loadFolder(resolve(source)) : source
  if (!Array.isArray(found)) throw refused('migrations are a folder, or a list of migrations.')
  const names = new Set<string>()
  for (const migration of found as readonly unknown[]) {
    const { name, up, down } = migration as Partial<Migration>
    if (typeof name !== 'string' || !namePattern.test(name))
      throw refused(`A migration has a name of letters, digits, _ and -: "${name}" is none.`)
    if (typeof up !== 'function') throw refused(`The migration ${name} exports no function up.`)
    if (down !== undefined && typeof down !== 'function') throw refused(`The down of the migration ${name} is no function.`)
    if (names.has(name)) throw refused(`Two migrations are called ${name}.`)
    names.add(name)
  }
  return (found as readonly Migration[]).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

async function loadFolder(folder: string): Promise<Migration[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw refused(`There is no folder ${folder} with migrations. Make it, or correct its name.`, cause)
  })
  const files = names.filter((name) => filePattern.test(name) && !/\.(?:d|test|spec)\.\w+$/.test(name))
  return await Promise.all(files.map((file) => loadFile(join(folder, file), filePattern.exec(file)?.[1] ?? file)))
}

async function loadFile(path: string, name: string): Promise<Migration> {
  const text = await readFile(path, 'utf8')
  // What a file exports is looked at before it is used.
  const module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Partial<Migration>
  // Loading a module may take its time, and what it exports is what counts.
  return { name, checksum: checksumOf(text), up: module.up as Migration['up'], down: module.down }
}

/** SHA-256 in hexadecimal. How lines end is the affair of whoever checked the file out. */
export function checksumOf(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex')
}

function refused(sentence: string, cause?: unknown): UsageError {
  return new UsageError('invalid_options', sentence, { cause })
}
