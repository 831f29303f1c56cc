import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openStorage } from '@strongroom/core'
import { growthAccessors, person } from './people.ts'

/** Records that are inserted together. */
const piece = 5_000
const writers = 10

/**
 * Makes a database of each size, by inserts like any others: each record has its entry in the log, which is chained. The sizes rise, and each begins with a copy of
 * the one before. Those that are in the folder already are taken as they are. Answers their files.
 */
export async function buildDatabases(folder: string, sizes: readonly number[], report: (line: string) => void): Promise<string[]> {
  const files: string[] = []
  let [before, beforeFile]: [number, string | undefined] = [0, undefined]
  for (const size of sizes) {
    const file = join(folder, `people-${size}.db`)
    if (!existsSync(file)) {
      const started = performance.now()
      const unfinished = `${file}.unfinished`
      for (const end of ['', '-wal', '-shm']) rmSync(`${unfinished}${end}`, { force: true })
      if (beforeFile !== undefined) copyFileSync(beforeFile, unfinished)
      await fill(unfinished, before, size)
      renameSync(unfinished, file)
      report(`${size.toLocaleString('en')} records and entries: ${Math.round((performance.now() - started) / 1_000)} s`)
    }
    files.push(file)
    before = size
    beforeFile = file
  }
  return files
}

async function fill(file: string, from: number, to: number): Promise<void> {
  const { people } = growthAccessors(1)
  const storage = await openStorage({
    url: `sqlite:${file}`,
    accessors: [people],
    sqlite: { synchronous: 'NORMAL' },
    transactionTimeLimit: 120_000,
  })
  for (let start = from; start < to; start += piece) {
    const records = Array.from({ length: Math.min(piece, to - start) }, (_, index) => person(start + index))
    await people.insertMany(records, { actor: `writer-${(start / piece) % writers}` })
  }
  // Closing brings all of the write-ahead log into the file.
  await storage.close()
}
