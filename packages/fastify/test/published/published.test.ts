import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describeEngines, tempFolder } from '@strongroom/testkit'
import { beforeAll, expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const bundle = fileURLToPath(new URL('../../../../.ci/bundle.ts', import.meta.url))
const program = fileURLToPath(new URL('./program.ts', import.meta.url))

beforeAll(() => run(process.execPath, [bundle]))

describeEngines('the packages as they are published', (engine) => {
  test('do what they do out of their sources: threads, parts that are loaded late, and classes that are the same everywhere', async () => {
    const folder = await tempFolder('published')
    onTestFinished(folder.remove)
    const [url, other] = [await engine.freshUrl(), await engine.freshUrl()]
    const { stdout } = await run(process.execPath, ['--conditions=strongroom-published', program, url, other, folder.path])
    expect(JSON.parse(stdout)).toEqual({
      posted: 201,
      refused: 422,
      error: 'ValidationError',
      imported: 2_000,
      exported: 2_001,
      verified: true,
      found: 'ADA',
      counted: 2_001,
      diagram: true,
      restored: true,
      back: 'Ada',
      moved: 2_001,
      sameMove: true,
    })
  })
})
