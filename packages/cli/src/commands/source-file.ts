import { statSync } from 'node:fs'
import { WrongUse } from '../faults.ts'
import { refuseFolder } from '../refuse-folder.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Source } from '../target/target.ts'

/** A file that is read, `-` for standard input. Throws WrongUse where there is no such file. */
export function sourceOf(path: string, { stdin }: Surroundings): Source {
  if (path === '-') {
    if (stdin.isTTY) throw new WrongUse('Standard input is a terminal: send a file into it, or name one.')
    return stdin
  }
  refuseFolder(path)
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path
  throw new WrongUse(`There is no file ${path}.`)
}
