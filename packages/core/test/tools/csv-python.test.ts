import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { exportHostileThings } from '../transfer/hostile-things.ts'

/** Fields are at most 131,072 characters long unless it is told otherwise. */
const program = `
import csv, json, sys
csv.field_size_limit(2**31 - 1)
with open(sys.argv[1], newline='', encoding='utf-8') as file:
    json.dump(list(csv.reader(file, strict=True)), sys.stdout)
`

describeEngines("Python's csv module", (engine) => {
  test('reads an exported CSV to the same values, with the empty text for null', async () => {
    const folder = await tempFolder('python-csv')
    onTestFinished(folder.remove)
    const { csv, cells } = await exportHostileThings(await engine.freshUrl())
    const path = join(folder.path, 'things.csv')
    await writeFile(path, csv)
    const read: unknown = JSON.parse(execFileSync('python3', ['-c', program, path], { encoding: 'utf8', maxBuffer: 2 ** 30 }))
    expect(read).toEqual(cells.map((row) => row.map((cell) => cell ?? '')))
  })
})
