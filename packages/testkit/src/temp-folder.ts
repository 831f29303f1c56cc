import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of one's own, and the way to get rid of it. */
export interface TempFolder {
  readonly path: string
  remove(): Promise<void>
}

/** Makes an empty folder under the system's temporary folder; `label` shows in its name. */
export async function tempFolder(label = 'test'): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), `strongroom-${label}-`))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
