import type { Given } from '../arguments/option.ts'
import { WrongUse } from '../faults.ts'
import { refuseFolder } from '../refuse-folder.ts'
import type { Surroundings } from '../surroundings.ts'
import { ServerTarget } from './server-target.ts'
import type { Target } from './target.ts'

/** What an environment variable says, if it says something. */
const variable = (env: Surroundings['env'], name: string): string | undefined => env[name]?.trim() || undefined

/**
 * Finds what a command works on: a server's URL, a database's, or a file; else what the environment says.
 *
 * @throws WrongUse where nothing is said
 */
export async function openTarget(said: string | undefined, given: Given, { env }: Surroundings): Promise<Target> {
  const target = said ?? variable(env, 'STRONGROOM_URL') ?? variable(env, 'DATABASE_URL')
  if (target === undefined)
    throw new WrongUse('Say which server or database: a URL such as http://127.0.0.1:3000, a database file, or set STRONGROOM_URL.')
  const user = given.text('user') ?? 'operator'
  if (/^https?:\/\//i.test(target)) {
    return new ServerTarget({ url: target, headers: given.all('header'), token: variable(env, 'STRONGROOM_TOKEN'), user })
  }
  refuseFolder(target, 'the database file')
  // The library itself is loaded only by those who work on a database.
  const { DatabaseTarget } = await import('./database-target.ts')
  return new DatabaseTarget({
    url: databaseUrl(target),
    accessorsModule: given.text('accessors'),
    user,
    create: given.has('create'),
  })
}

/** The URL of a database that is named by it, or by its file. */
export function databaseUrl(said: string): string {
  // A drive of Windows is no scheme.
  const hasScheme = /^[a-z][a-z0-9+.-]+:/i.test(said)
  return hasScheme ? said : `sqlite:${said.replace(/^\/+/, '/')}`
}
