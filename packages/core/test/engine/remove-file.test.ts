import { link, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { removeFile, withdrawFile } from '../../src/engine/remove-file.ts'

const megabyte = 1_048_576

async function folderWith(name: string, bytes: number): Promise<{ folder: string; file: string }> {
  const { path: folder, remove } = await tempFolder('remove')
  onTestFinished(remove)
  const file = join(folder, name)
  await writeFile(file, 'x')
  await truncate(file, bytes)
  return { folder, file }
}

test('a large file is gone, and so is a small one, and one that is not there is no error', async () => {
  const { folder, file } = await folderWith('large', 70 * megabyte)
  await removeFile(file)
  await removeFile(file)
  await writeFile(file, 'small')
  await removeFile(file)
  expect(await readdir(folder)).toEqual([])
})

test('what another name leads to stays whole', async () => {
  const { folder, file } = await folderWith('large', 70 * megabyte)
  await link(file, join(folder, 'other'))
  await removeFile(file)
  expect(await readdir(folder)).toEqual(['other'])
  expect((await stat(join(folder, 'other'))).size).toBe(70 * megabyte)
})

test('a file that others know is there as a whole or not at all', async () => {
  const { folder, file } = await folderWith('known', 100 * megabyte)
  const sizes = new Set<number>()
  let done = false
  const removing = withdrawFile(file).finally(() => {
    done = true
  })
  while (!done) sizes.add((await stat(file).catch(() => undefined))?.size ?? 0)
  await removing
  expect([...sizes]).toEqual(expect.arrayContaining([0]))
  expect([...sizes].filter((size) => size !== 0 && size !== 100 * megabyte)).toEqual([])
  expect(await readdir(folder)).toEqual([])
})
