import { chmod, rename } from 'node:fs/promises'
import { openFile } from './file-connection.ts'

/** How a file becomes one that can be put in the place of the live one. */
export interface Staging {
  /** The live one; none where the database is no file. */
  readonly live: string | undefined
  /** A private file, which may be gone afterwards. */
  readonly file: string
  /** It has passed SQLite's integrity check. */
  readonly checked: boolean
  readonly staged: string
}

/**
 * Makes a file fit the live one, under another name: SQLite's backup does not copy onto another page size. A file of the same one is taken as
 * it is, and others are copied, which blocks the thread; so is one that was not checked, since nobody can copy what is broken.
 */
export async function stageFile({ live, file, checked, staged }: Staging): Promise<void> {
  const pageSize = await pageSizeOf(live ?? file)
  if (checked && pageSize === (await pageSizeOf(file))) {
    // A copy of a file that its owner may only read is one, too.
    await chmod(file, 0o600)
    return await rename(file, staged)
  }
  const source = await openFile(file, { readonly: true })
  try {
    source.database.pragma(`page_size = ${pageSize}`)
    source.run('VACUUM INTO ?', [staged])
  } finally {
    source.close()
  }
}

async function pageSizeOf(path: string): Promise<number> {
  const file = await openFile(path, { readonly: true })
  try {
    return Number(file.database.pragma('page_size', { simple: true }))
  } finally {
    file.close()
  }
}
