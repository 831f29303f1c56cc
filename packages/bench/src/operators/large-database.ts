import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onPostgres } from '../on-postgres.ts'

export interface LargeDatabaseOptions {
  readonly engine: 'sqlite' | 'postgres'
  /** Of the database. */
  readonly bytes: number
  /** On SQLite a file that was built before, or is built there and kept; a copy of it is used. */
  readonly file: string | undefined
  readonly report: (line: string) => void
}

/** Gives work a database of so many bytes, which is gone afterwards. */
export async function onLargeDatabase<T>(
  folder: string,
  { engine, bytes, file = join(folder, 'built.db'), report }: LargeDatabaseOptions,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const build = async (url: string): Promise<void> => {
    report(`building a database of ${bytes} bytes`)
    const script = fileURLToPath(new URL('./seed-documents.ts', import.meta.url))
    await promisify(execFile)(process.execPath, [script, url, String(bytes)])
  }
  if (engine === 'postgres') {
    return onPostgres('operators', async (url) => {
      await build(url)
      return await work(url)
    })
  }
  if (!existsSync(file)) await build(`sqlite:${file}`)
  const copy = join(folder, 'app.db')
  copyFileSync(file, copy)
  report(`a database of ${statSync(copy).size} bytes`)
  return work(`sqlite:${copy}`)
}
