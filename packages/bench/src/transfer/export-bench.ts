import { execFile } from 'node:child_process'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onPostgres } from '../on-postgres.ts'
import { median, summarise } from '../statistics.ts'
import { makeLetters, makeUsers } from './databases.ts'

const run = promisify(execFile)

export interface ExportOptions {
  readonly rounds: number
  /** Small rows. */
  readonly records: number
  /** Rows of 80,000 characters. */
  readonly letters: number
  readonly report: (line: string) => void
}

interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMegabytes: number
  readonly idleMegabytes: number
}

const letterSize = 80_000

/** Exports of many small rows beside a row-by-row stream, and the memory that exports and backups of large rows take. */
export async function exportBench(folder: string, options: ExportOptions) {
  const users = join(folder, 'users.db')
  await makeUsers(users, options.records)
  const kinds = ['export', 'rows', 'rows-gzip'] as const
  const rounds: Record<(typeof kinds)[number], Measured>[] = []
  for (let round = 0; round < options.rounds; round++) {
    // In turn, whoever is first.
    const turns = round % 2 === 0 ? kinds : kinds.toReversed()
    const found: Partial<Record<(typeof kinds)[number], Measured>> = {}
    for (const kind of turns) found[kind] = await measureExport(folder, kind, `sqlite:${users}`, 'users')
    // Each kind had its turn.
    rounds.push(found as Record<(typeof kinds)[number], Measured>)
    options.report(kinds.map((kind) => `${kind} ${found[kind]?.seconds.toFixed(2)} s, ${found[kind]?.peakMegabytes} MB`).join('; '))
  }
  const pairing = (other: 'rows' | 'rows-gzip') => ({
    what: `export of ${options.records} rows beside ${other}`,
    unit: 'rows/s',
    rounds: rounds.map((round) => [options.records / round.export.seconds, options.records / round[other].seconds] as const),
  })
  const peaks = Object.fromEntries(kinds.map((kind) => [kind, median(rounds.map((round) => round[kind].peakMegabytes))]))
  return {
    engine: 'sqlite, postgres',
    roundsAsked: options.rounds,
    roundsDone: rounds.length,
    results: [summarise(pairing('rows')), summarise(pairing('rows-gzip'))],
    peakMegabytes: peaks,
    largeRows: await largeRows(folder, options),
  }
}

/** What exports and backups of rows of 80,000 characters take. */
async function largeRows(folder: string, { letters, report }: ExportOptions) {
  const found: (Measured & { engine: string; kind: string; letters: number })[] = []
  const all = async (engine: string, url: string): Promise<void> => {
    await makeLetters(url, letters, letterSize)
    for (const kind of ['export', 'backup']) {
      const measured = await measureExport(folder, kind, url, 'letters')
      found.push({ engine, kind, letters, ...measured })
      report(`${engine}: ${kind} of ${letters} rows of ${letterSize}: ${measured.seconds.toFixed(2)} s, ${measured.peakMegabytes} MB`)
    }
  }
  await all('sqlite', `sqlite:${join(folder, 'letters.db')}`)
  await onPostgres('letters', (url) => all('postgres', url))
  return found
}

/** One export or backup in a process of its own, by the packages as they are published. */
export async function measureExport(folder: string, kind: string, url: string, table: string): Promise<Measured> {
  const script = fileURLToPath(new URL('./export-process.ts', import.meta.url))
  const target = join(folder, 'target')
  try {
    const { stdout } = await run(process.execPath, ['--conditions=strongroom-published', script, kind, url, table, target])
    if (statSync(target).size === 0) throw new Error('nothing was written')
    return JSON.parse(stdout) as Measured
  } finally {
    rmSync(target, { force: true })
  }
}
