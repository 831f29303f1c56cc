import { statSync } from 'node:fs'
import { WrongUse } from '../faults.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Source } from '../target/target.ts'

/** A file that is read, `-` for standard input. Throws WrongUse where there is no such file. */
export function sourceOf(path: string, { stdin }: Surroundings): Source {
  if (path === '-') {
    if (stdin.isTTY) throw new WrongUse('Standard input is a terminal: send a file into it, or name one.')
    return stdin
  }
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) throw new WrongUse(`${path} is a folder. Name a file in it.`)
  if (!found?.isFile()) throw new WrongUse(`There is no file ${path}.`)
  return path
}
