import { stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { WrongUse } from '../faults.ts'
import { assertFree, momentName, placeFile } from '../output/place-file.ts'
import { inBytes } from '../output/printable.ts'
import { into } from '../output/write.ts'
import type { Target } from '../target/target.ts'
import type { Job } from './command.ts'

/** A file that a command makes. */
export interface MadeFile {
  readonly kind: 'backup' | 'export'
  readonly ending: string
  /** Writes it to a new path, or to standard output. */
  readonly make: (output: string | Writable) => Promise<void>
}

/** Makes a file where `--output` says, and tells of it. */
export async function makeFile(
  { given, surroundings, progress, answer }: Job,
  target: Target,
  { kind, ending, make }: MadeFile,
): Promise<void> {
  const path = given.text('output') ?? momentName(kind, ending)
  if (path === '-') {
    if (given.has('json')) throw new WrongUse('Standard output is for the file or for --json: say another --output.')
    if (surroundings.stdout.isTTY)
      throw new WrongUse('A terminal cannot show the file: send standard output elsewhere, or leave out --output -.')
    return make(into(surroundings.stdout))
  }
  assertFree(path, given.has('force'))
  const bytes = await placeFile(path, async (partial) => {
    await make(partial)
    return (await stat(partial)).size
  })
  progress.end()
  await answer({ status: 'ok', file: path, bytes }, `${path}: ${kind} of ${target.name}, ${inBytes(bytes)}\n`)
}
