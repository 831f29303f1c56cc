import { statSync } from 'node:fs'
import { WrongUse } from './faults.ts'

/**
 * Throws WrongUse for the path of a folder, where a file is wanted. What is not there is no folder.
 *
 * @param wanted what is to be named in its place
 */
export function refuseFolder(path: string, wanted = 'a file'): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new WrongUse(`${path} is a folder. Name ${wanted} in it.`)
}
