import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { makeWorkFolder, removeLeftovers } from '../engine/portable-file.ts'

/**
 * Gives work a private folder beside a file, on the same disk, which is gone afterwards. What a process that was killed has left
 * there is removed first.
 */
export async function withWorkFolder<T>(besides: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await makeWorkFolder(dirname(besides))
  try {
    return await work(folder.path)
  } finally {
    await folder.remove()
  }
}

/** Removes what killed processes have left beside a file, and where the system keeps temporary files. Nobody waits until it is gone. */
export function removeLeftoversSoon(besides: string): void {
  for (const place of new Set([dirname(besides), tmpdir()])) removeLeftovers(place).catch(() => undefined)
}
