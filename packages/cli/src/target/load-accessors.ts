import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Access, AnyAccessor } from '@strongroom/core'
import { WrongUse } from '../faults.ts'

/** The library, as the accessors' module has it. */
export type Core = typeof import('@strongroom/core')

/** Accessors and rules, and the very library that they are made with. */
export interface LoadedAccessors {
  readonly core: Core
  readonly accessors: readonly AnyAccessor[]
  readonly access: readonly Access[]
}

/**
 * Loads a module and finds the accessors and the rules among its exports, also in lists of them.
 *
 * @throws WrongUse where there is no such file, and where it exports none
 */
export async function loadAccessors(path: string): Promise<LoadedAccessors> {
  const file = resolve(path)
  if (!existsSync(file)) throw new WrongUse(`There is no module ${path}.`)
  const core = await coreOf(file)
  // Any module may be named; what it exports is looked at one by one.
  const exported = Object.values((await import(pathToFileURL(file).href)) as Record<string, unknown>).flat()
  const found = exported.filter((value): value is InstanceType<Core['ModelAccessor']> => value instanceof core.ModelAccessor)
  if (found.length === 0) throw new WrongUse(`${path} exports no accessor: export const users = new ModelAccessor(User, 'users').`)
  return { core, accessors: [...new Set(found)], access: [...new Set(exported.filter(isAccess))] }
}

/** Rules have no class: what `defineAccess` makes is a model and its rules, and nothing else. */
function isAccess(value: unknown): value is Access {
  return typeof value === 'object' && value !== null && Object.keys(value).sort().join() === 'model,rules'
}

/** The module's own copy of the library: instances of another one's classes would not be known. */
async function coreOf(file: string): Promise<Core> {
  let place: string
  try {
    place = createRequire(file).resolve('@strongroom/core')
  } catch {
    // A bundle, for one, has none beside it.
    return import('@strongroom/core')
  }
  // What stands there is this package, in this version or another.
  return (await import(pathToFileURL(place).href)) as Core
}
