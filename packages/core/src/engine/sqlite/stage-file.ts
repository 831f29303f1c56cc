import { openFile } from './file-connection.ts'

/** Copies a file into a new one, with the page size of the live one where there is one: SQLite's backup does not copy onto another. Blocks the thread. */
export async function stageFile({
  live,
  file,
  staged,
}: {
  readonly live: string
  readonly file: string
  readonly staged: string
}): Promise<void> {
  const source = await openFile(file, { readonly: true })
  try {
    if (live !== undefined) source.database.pragma(`page_size = ${await pageSizeOf(live)}`)
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
