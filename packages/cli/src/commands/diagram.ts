import { writeFile } from 'node:fs/promises'
import { oneOf } from '../arguments/read-arguments.ts'
import { accessors, force, header, output } from '../arguments/shared-options.ts'
import { WrongUse } from '../faults.ts'
import { assertFree, placeFile } from '../output/place-file.ts'
import { inBytes } from '../output/printable.ts'
import { write } from '../output/write.ts'
import type { Command } from './command.ts'
import { withTarget } from './with-target.ts'

export const diagram: Command = {
  name: 'diagram',
  usage: '[TARGET]',
  summary: 'Draws the tables with their fields, keys and references',
  about: `An SVG, light or dark as its viewer is, or its source for a Graphviz of your own. No value of any record is in it. A database needs
--accessors: the picture is of the models.`,
  options: [
    output('standard output'),
    force,
    { name: 'format', value: 'svg|dot', help: 'A picture, or its source in the language of Graphviz; svg unless said' },
    { name: 'system', help: "The library's own tables too" },
    accessors,
    header,
  ],
  examples: [
    { line: 'strongroom diagram http://127.0.0.1:3000 -o tables.svg', why: 'a picture' },
    {
      line: 'strongroom diagram ./app.db --accessors ./models.ts --format dot | dot -Tpdf > tables.pdf',
      why: 'a PDF by your own Graphviz',
    },
  ],
  positionals: 1,
  async run(job) {
    const { given, surroundings, progress, answer } = job
    const format = oneOf(given, 'format', ['svg', 'dot']) ?? 'svg'
    const path = given.text('output') ?? '-'
    if (path === '-' && given.has('json')) throw new WrongUse('Standard output is for the diagram or for --json: say --output.')
    if (path !== '-') assertFree(path, given.has('force'))
    const text = await withTarget(job, given.positionals[0], (target, watch) => {
      progress.step('Drawing')
      return target.diagram({ format, system: given.has('system') }, watch)
    })
    progress.end()
    if (path === '-') await write(surroundings.stdout, text)
    else {
      await placeFile(path, (partial) => writeFile(partial, text, { flag: 'wx', mode: 0o600 }))
      const bytes = Buffer.byteLength(text)
      await answer({ status: 'ok', file: path, bytes }, `${path}: ${inBytes(bytes)}\n`)
    }
    return undefined
  },
}
