import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accessorBench } from './accessor-bench.ts'
import { httpBench } from './http-bench.ts'
import { type PairingSummary, summarise } from './statistics.ts'

/** `pnpm bench [--rounds N] [--seconds N]`: accessor and HTTP beside hand-written code, paired in one run. */
const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
const rounds = option('rounds', 5)
const seconds = option('seconds', 2)
const started = Date.now()
const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'))
try {
  const pairings = [...(await accessorBench(folder, rounds)), ...(await httpBench(folder, rounds, seconds))]
  const summaries = pairings.map(summarise)
  process.stdout.write(`${markdown(summaries)}\n`)
  writeEvidence(summaries)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function markdown(summaries: readonly PairingSummary[]): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  const rows = summaries.map(
    (row) =>
      `| ${row.what} | ${whole(row.strongroom)} | ${whole(row.hand)} | ${row.ratio.toFixed(2)} | ${row.leastRatio.toFixed(2)}–${row.greatestRatio.toFixed(2)} |`,
  )
  return ['| what | strongroom /s | hand /s | ratio | least–greatest |', '|---|---|---|---|---|', ...rows].join('\n')
}

function writeEvidence(summaries: readonly PairingSummary[]): void {
  const file = fileURLToPath(new URL('../../../docs/evidence/bench.json', import.meta.url))
  mkdirSync(join(file, '..'), { recursive: true })
  const evidence = {
    commit: execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim(),
    date: new Date(started).toISOString(),
    node: process.version,
    processors: cpus().length,
    engine: 'sqlite, synchronous=FULL on both sides',
    roundsAsked: rounds,
    roundsDone: Math.min(...summaries.map((row) => row.rounds)),
    seconds: Math.round((Date.now() - started) / 1000),
    results: summaries,
  }
  writeFileSync(file, `${JSON.stringify(evidence, null, 2)}\n`)
}
