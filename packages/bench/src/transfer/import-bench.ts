import { execFile } from 'node:child_process'
import { createWriteStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onPostgres } from '../on-postgres.ts'

const run = promisify(execFile)

export interface ImportOptions {
  readonly records: number
  readonly rounds: number
  readonly report: (line: string) => void
}

/** Imports of many rows on both engines: rows a second, how long other writers wait, the longest stall, the memory. */
export async function importBench(folder: string, { records, rounds, report }: ImportOptions) {
  const csv = join(folder, 'users.csv')
  await writeCsv(csv, records)
  const smaller = join(folder, 'smaller.csv')
  await writeCsv(smaller, Math.ceil(records / 10), records)
  const results: unknown[] = []
  const measure = async (engine: string, url: string): Promise<void> => {
    results.push({ engine, ...(await measureImport(url, csv, records, smaller)) })
    report(`${engine}: ${JSON.stringify(results.at(-1))}`)
  }
  for (let round = 0; round < rounds; round++) {
    const file = join(folder, 'import.db')
    await measure('sqlite', `sqlite:${file}`)
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
    await onPostgres('import', (url) => measure('postgres', url))
  }
  return { engine: 'sqlite, postgres', roundsAsked: rounds, roundsDone: results.length / 2, counts: { records }, results }
}

/** What one import took, as far as others than readers of its figures look at it. */
interface Imported {
  readonly rows: number
  readonly faults: number
  readonly seconds: number
  readonly growthMegabytes: number
}

/**
 * One import in a process of its own, by the packages as they are published.
 *
 * @param smaller a file that is imported before; the memory that is told is what the import takes beyond it
 */
export async function measureImport(
  url: string,
  csv: string,
  records: number,
  smaller = '',
): Promise<Imported & { readonly rowsPerSecond: number }> {
  const script = fileURLToPath(new URL('./import-process.ts', import.meta.url))
  const { stdout } = await run(process.execPath, ['--conditions=strongroom-published', script, url, csv, smaller])
  // That program prints this, and more.
  const found = JSON.parse(stdout) as Imported
  if (found.rows !== records || found.faults !== 0) throw new Error(`${found.rows} of ${records} rows were imported: ${stdout}`)
  return { ...found, rowsPerSecond: Math.round(records / found.seconds) }
}

export async function writeCsv(file: string, records: number, first = 0): Promise<void> {
  const lines = function* (): Generator<string> {
    yield 'name,email,age\r\n'
    for (let index = first; index < first + records; index++) yield `Person ${index},person${index}@example.com,${index % 100}\r\n`
  }
  await pipeline(Readable.from(lines()), createWriteStream(file))
}
