import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { syncMeanwhile } from '../../src/transfer/sync-meanwhile.ts'

test('work that is synced meanwhile ends as it would, whatever becomes of its files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'grows')
  const write = async (): Promise<string> => {
    for (let piece = 0; piece < 20; piece++) await appendFile(path, 'x'.repeat(100_000))
    await rm(path)
    return 'written'
  }
  expect(await syncMeanwhile([path, join(folder, 'never there')], write())).toBe('written')
  await expect(syncMeanwhile([path], Promise.reject(new Error('the work failed')))).rejects.toThrow('the work failed')
})
