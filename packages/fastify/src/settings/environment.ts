import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { UsageError } from '@strongroom/core'
import type { Environment } from './read-settings.ts'

/** The environment, and what the file `.env` of a folder has beside it: a variable that is set wins over the file. */
export function readEnvironment(environment: Environment, folder: string): Environment {
  const set = Object.entries(environment).filter(([, text]) => text !== undefined && text !== '')
  return { ...readFileVariables(resolve(folder, '.env')), ...Object.fromEntries(set) }
}

function readFileVariables(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return {}
    throw new UsageError('invalid_settings', `The file ${path} cannot be read. Let this process read it, or take it away.`, { cause })
  }
}
