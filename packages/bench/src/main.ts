import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { chainBench } from './audit/chain-bench.ts'
import { sealBench } from './audit/seal-bench.ts'
import { verifyBench } from './audit/verify-bench.ts'
import { type BesideHandOptions, besideHand } from './beside-hand/beside-hand.ts'
import type { Operation } from './beside-hand/load-process.ts'
import { commit, evidenceFile, readEvidence, writeEvidence } from './evidence.ts'
import { governanceBench } from './governance/governance-bench.ts'
import { axes, growthBench } from './growth/growth-bench.ts'
import { type HistoryRun, historyBench } from './history/history-bench.ts'
import { onLargeDatabase } from './operators/large-database.ts'
import { allDeedNames, deedNames, operatorsBench } from './operators/operators-bench.ts'
import { joinEvidence } from './operators/operators-evidence.ts'
import { summarise } from './operators/windows.ts'
import { pagesBench } from './pages-bench.ts'
import { peers } from './peers/peers.ts'
import { peersBench } from './peers/peers-bench.ts'
import { postgresBench } from './postgres/postgres-bench.ts'
import type { PairingSummary } from './statistics.ts'
import { exportBench } from './transfer/export-bench.ts'
import { importBench } from './transfer/import-bench.ts'
import { restoreBench } from './transfer/restore-bench.ts'

/**
 * `npm run bench -- [--rounds N] [--seconds N] [--parts accessor,http,start,export,import,verify] [--operations get,list,pages,post,put,delete] [--busy]`: accessors, HTTP, the start
 *   and exports beside hand-written code, paired in one run; `--busy` keeps the rounds in which other programs ran, and is no evidence.
 * `npm run bench -- pages [--rounds N] [--records N]`: the first and the 5,000th page of a million records, on both engines.
 * `npm run bench -- postgres [--rounds N] [--seconds N] [--parts accessor,http] [--connections 1,4,16,64] [--operations get,list,insert,update,delete]
 *   [--busy]`: reads, and writes with their entries, on PostgreSQL, beside the same by hand; what is not all of it is no evidence.
 * `npm run bench:peers -- [--peers feathers,prisma] [--operations get,list,post,put,delete] [--rounds N] [--seconds N] [--busy]`: beside other libraries, each
 *   installed into its folder of packages/bench/peers when it is asked for.
 * `npm run bench -- audit [--pairs N] [--entries N]`: what the chain costs on SQLite and sealing on PostgreSQL, and how fast the log is verified.
 * `npm run bench:transfers -- export [--rounds N] [--records N] [--letters N]`: exports and backups beside a row-by-row stream, and their memory.
 * `npm run bench:operators -- [--engine sqlite|postgres] [--seconds N] [--rounds N] [--add] [--think MS] [--database FILE]
 *   [--deeds backup,export,restore,nothing] [--bytes N]`: a backup, an export and a restore under load, on both engines unless one is named; `--add` keeps the
 *   rounds of earlier runs of the same commit. On less than a gigabyte it is quicker, and no evidence. `--deeds nothing --add` is the same load for four
 *   minutes without any of them: what the server's memory does by itself.
 * `npm run bench:governance -- [--pairs N] [--amount N] [--engine sqlite|postgres] [--parts auth,limit,logs,metrics,pressure] [--node FLAG]`: what logins, rules,
 *   limits, logs and metrics cost, with an option of Node for both servers, such as --no-allocation-site-pretenuring: its figures stand beside those without.
 * `npm run bench:transfers -- restore [--bytes N] [--engine sqlite|postgres]`: what the upload of a file of two gigabytes, and its restore, do to the server's memory.
 * `npm run bench -- history [--engine sqlite|postgres] [--rounds N] [--entries N] [--url POSTGRES]`: histories, audit pages and lists of the past at 5 million entries
 *   beside 50,000; on a server that is given by `--url` the logs stay for the next run.
 * `npm run bench:growth -- [--axis rows|connections|models] [--rounds N] [--most N] [--folder DIR] [--busy]`: what things cost at 10^3 to 10^7 records, 1 to 256
 *   connections, 1 to 100 models; DIR keeps the databases, and a run goes on from those that are there. `--most` ends an axis earlier and writes no evidence.
 * `npm run bench:transfers -- import [--records N] [--rounds N]`: a million rows from a CSV file, on both engines.
 */
const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
const word = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}
/** Bytes of the database of the operators' bench. */
const operatorsBytes = 1_000_000_000
const report = (line: string): void => void process.stdout.write(`${line}\n`)
const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'))
try {
  if (process.argv[2] === 'pages') await measurePages(option('rounds', 200), option('records', 1_000_000))
  else if (process.argv[2] === 'postgres') await measurePostgres()
  else if (process.argv[2] === 'peers') await measurePeers()
  else if (process.argv[2] === 'audit') await measureAudit(option('pairs', 15), option('entries', 300_000))
  else if (process.argv[2] === 'export') await measureExports(option('rounds', 5), option('records', 1_000_000), option('letters', 3_000))
  else if (process.argv[2] === 'restore') await measureRestore(option('bytes', 2_000_000_000), word('engine'))
  else if (process.argv[2] === 'history') await measureHistory(option('rounds', 40), option('entries', 5_000_000))
  else if (process.argv[2] === 'import') await measureImports(option('records', 1_000_000), option('rounds', 1))
  else if (process.argv[2] === 'governance') await measureGovernance(option('pairs', 21), option('amount', 10_000))
  else if (process.argv[2] === 'growth') await measureGrowth(option('rounds', 7), word('folder') ?? folder)
  else if (process.argv[2] === 'operators') await measureOperators(word('engine'))
  else await measureBesideHand()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function measureBesideHand(): Promise<void> {
  const started = Date.now()
  const keepAll = process.argv.includes('--busy')
  const options: BesideHandOptions = {
    rounds: option('rounds', 5),
    seconds: option('seconds', 1),
    parts: word('parts') ?? 'accessor,http,start,export,import,verify',
    operations: word('operations') ?? 'get,list,pages,post,put,delete',
    keepAll,
    report,
  }
  const { table, ...evidence } = await besideHand(folder, options)
  report(table)
  if (keepAll || word('operations') !== undefined) return
  const file = writeEvidence('bench', started, evidence)
  writeFileSync(file.replace(/json$/, 'md'), `${table}\n`)
}

async function measurePostgres(): Promise<void> {
  const started = Date.now()
  const keepAll = process.argv.includes('--busy')
  const list = (name: string, usual: string): string[] => (word(name) ?? usual).split(',')
  const { table, ...evidence } = await postgresBench({
    rounds: option('rounds', 5),
    seconds: option('seconds', 1),
    connections: list('connections', '1,4,16,64').map(Number),
    operations: list('operations', 'get,list,insert,update,delete'),
    parts: list('parts', 'accessor,http'),
    keepAll,
    report,
  })
  report(table)
  if (keepAll || ['connections', 'operations', 'parts'].some((name) => word(name) !== undefined)) return
  writeEvidence('postgres', started, evidence)
  writeFileSync(evidenceFile('postgres', 'md'), `${table}\n`)
}

async function measurePeers(): Promise<void> {
  const started = Date.now()
  const keepAll = process.argv.includes('--busy')
  const { table, ...evidence } = await peersBench(folder, {
    rounds: option('rounds', 5),
    // A run of all of them takes six minutes.
    seconds: option('seconds', 0.6),
    peers: word('peers')?.split(',') ?? peers.map(({ name }) => name.toLowerCase()),
    operations: (word('operations') ?? 'get,list,post,put,delete').split(',') as Operation[],
    keepAll,
    report,
  })
  report(table)
  if (keepAll || word('operations') !== undefined || word('peers') !== undefined) return
  writeEvidence('peers', started, evidence)
  writeFileSync(evidenceFile('peers', 'md'), `${table}\n`)
}

async function measurePages(rounds: number, records: number): Promise<void> {
  const started = Date.now()
  const evidence = await pagesBench(folder, { rounds, records, seed: 20_261_123, report })
  writeEvidence('pages', started, evidence)
  if (evidence.faults.length > 0) process.exitCode = 1
}

async function measureHistory(rounds: number, entries: number): Promise<void> {
  const started = Date.now()
  const engine = word('engine')
  const engines = engine === undefined ? (['sqlite', 'postgres'] as const) : ([engine as 'sqlite' | 'postgres'] as const)
  // Each engine can be measured in a run of its own.
  const before = (readEvidence('history') as { engines?: Record<string, HistoryRun> } | undefined)?.engines
  const runs: Record<string, HistoryRun & { readonly commit: string }> = {}
  for (const name of engines)
    runs[name] = {
      commit: commit(),
      ...(await historyBench(folder, { engine: name, rounds, entries, fewEntries: 50_000, url: word('url'), report })),
    }
  for (const { missed } of Object.values(runs)) for (const question of missed) report(`MISSED ${question}`)
  // A smaller log is no evidence of a large one.
  if (entries >= 5_000_000) writeEvidence('history', started, { engines: { ...before, ...runs } })
}

async function measureExports(rounds: number, records: number, letters: number): Promise<void> {
  const started = Date.now()
  const evidence = await exportBench(folder, { rounds, records, letters, report })
  process.stdout.write(`${markdown(evidence.results)}\n`)
  writeEvidence('export', started, evidence)
}

async function measureGovernance(pairs: number, amount: number): Promise<void> {
  const started = Date.now()
  const engine = word('engine')
  const parts = word('parts') ?? 'all'
  const flag = word('node')
  const node = flag === undefined ? [] : [flag]
  const engines = engine === undefined ? (['sqlite', 'postgres'] as const) : ([engine as 'sqlite' | 'postgres'] as const)
  // Each engine can be measured in a run of its own.
  const before = (readEvidence('governance') as { engines?: object } | undefined)?.engines
  const runs: Record<string, unknown> = {}
  for (const name of engines) {
    runs[[name, ...node].join(' ')] = {
      commit: commit(),
      ...(await governanceBench(folder, { pairs, amount, engines: [name], parts, node, report })),
    }
    // What was measured to find out why is no evidence.
    if (parts === 'all') writeEvidence('governance', started, { engines: { ...before, ...runs } })
  }
}

async function measureGrowth(rounds: number, databases: string): Promise<void> {
  const names = Object.keys(axes) as (keyof typeof axes)[]
  const asked = word('axis')?.split(',') ?? names
  const chosen = names.filter((name) => asked.includes(name))
  if (chosen.length < asked.length) throw new Error(`There are the axes ${names.join(', ')}.`)
  const most = word('most') === undefined ? undefined : option('most', 0)
  await growthBench(databases, { axes: chosen, rounds, most, keepAll: process.argv.includes('--busy'), report })
}

async function measureOperators(asked: string | undefined): Promise<void> {
  const engines = (['sqlite', 'postgres'] as const).filter((engine) => asked === undefined || asked === engine)
  if (engines.length === 0) throw new Error(`There is no engine ${asked}. There are sqlite and postgres.`)
  // Each engine's evidence is kept as soon as it is there.
  for (const engine of engines) await measureOperatorsOn(engine)
}

async function measureOperatorsOn(engine: 'sqlite' | 'postgres'): Promise<void> {
  const started = Date.now()
  const bytes = option('bytes', operatorsBytes)
  const clients = 32
  const named: readonly string[] = word('deeds')?.split(',') ?? deedNames
  const deeds = allDeedNames.filter((name) => named.includes(name))
  if (deeds.length < named.length) throw new Error(`There are the deeds ${allDeedNames.join(', ')}.`)
  const load = { clients, deeds, thinkTime: option('think', 0), seconds: option('seconds', 8), rounds: option('rounds', 3), report }
  const windows = await onLargeDatabase(folder, { engine, bytes, file: word('database'), report }, (url) =>
    operatorsBench(folder, { ...load, url }),
  )
  const run = { commit: commit(), databaseBytes: bytes, clients, windows }
  const engines = joinEvidence(evidenceFile('operators'), engine, run, { add: process.argv.includes('--add') })
  const results = bytes < operatorsBytes ? summarise(windows) : engines[engine]?.results
  for (const { missed, ...result } of results ?? []) {
    report(`${engine}, ${JSON.stringify(result)}: ${missed.length === 0 ? 'all goals met' : `MISSED ${missed.join('; ')}`}`)
  }
  if (bytes >= operatorsBytes) writeEvidence('operators', started, { engines })
}

async function measureRestore(bytes: number, engine: string | undefined): Promise<void> {
  const started = Date.now()
  const engines = engine === undefined ? ['sqlite', 'postgres'] : [engine]
  const evidence = await restoreBench(folder, { bytes, engines, report })
  report(JSON.stringify(evidence.results))
  writeEvidence('restore-memory', started, evidence)
}

async function measureAudit(pairs: number, entries: number): Promise<void> {
  const started = Date.now()
  const { results: seals, faults, entries: sealed } = await sealBench({ pairs, report })
  const chain = await chainBench(folder, { pairs, report })
  const verification = await verifyBench(folder, { rounds: pairs, entries, report })
  const results = [...seals, ...chain, ...verification].map(({ line: _, ...judged }) => judged)
  for (const fault of faults) report(fault)
  writeEvidence('audit-chain', started, {
    engine: 'sqlite, postgres',
    seed: 0,
    roundsAsked: pairs,
    roundsDone: Math.min(...results.map(({ rounds }) => rounds)),
    // What others had the machine do: it was not silent where this is above its processors.
    loadAverage: loadavg().map((load) => Number(load.toFixed(1))),
    counts: { verified: entries, sealed },
    faults,
    results,
  })
}

async function measureImports(records: number, rounds: number): Promise<void> {
  const started = Date.now()
  writeEvidence('import', started, await importBench(folder, { records, rounds, report }))
}

function markdown(summaries: readonly PairingSummary[]): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  const rows = summaries.map(
    (row) =>
      `| ${row.what} | ${whole(row.strongroom)} | ${whole(row.hand)} | ${row.ratio.toFixed(2)} | ${row.leastRatio.toFixed(2)}–${row.greatestRatio.toFixed(2)} |`,
  )
  return ['| what | strongroom /s | hand /s | ratio | least–greatest |', '|---|---|---|---|---|', ...rows].join('\n')
}
