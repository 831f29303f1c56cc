import { engineNames } from '@strongroom/testkit'
import { accessMutantsCampaign } from './access-mutants/campaign.ts'
import { accessRequestsCampaign } from './access-requests/campaign.ts'
import { type BothEnginesOptions, onBothEngines, withBothEngines } from './both-engines.ts'
import { changesCampaign } from './changes/campaign.ts'
import { differencesCampaign } from './differences/campaign.ts'
import { type Evidence, evidenceSoFar, writeEvidence } from './evidence.ts'
import { exactlyOnceCampaign } from './exactly-once.ts'
import { failoverCampaign } from './failover.ts'
import { pageLimitCampaign, tmpfsCampaign } from './full-disk.ts'
import { killCampaign } from './kills.ts'
import { lostUpdatesCampaign } from './lost-updates.ts'
import { manyInstancesCampaign } from './many-instances/campaign.ts'
import { migrationsCampaign } from './migrations/campaign.ts'
import { movesCampaign } from './moves/campaign.ts'
import { requestsCampaign } from './requests/campaign.ts'
import { fullOperatorsCampaign } from './restores/full-operators.ts'
import { restoreKillsCampaign } from './restores/restore-kills.ts'
import { restoresCampaign } from './restores/restores.ts'
import { shippersCampaign } from './shippers/campaign.ts'
import { addPart, zerosIn } from './sum-runs.ts'

/**
 * `pnpm soak [campaign …] [--rounds N] [--seed N] [--engine sqlite|postgres] [--add]`: the long campaigns, on the built packages. Each writes its
 * evidence; with `--add` it is a part, and joins what earlier parts found on the same commit.
 */
const campaigns: Readonly<Record<string, { readonly run: (options: BothEnginesOptions) => Promise<Evidence>; readonly rounds: number }>> = {
  kills: { run: killCampaign, rounds: 20 },
  'full-pages': { run: pageLimitCampaign, rounds: 10 },
  'full-tmpfs': { run: tmpfsCampaign, rounds: 5 },
  'lost-updates': { run: (options) => onBothEngines(lostUpdatesCampaign, options), rounds: 10_000 },
  'exactly-once': { run: (options) => onBothEngines(exactlyOnceCampaign, options), rounds: 10_000 },
  restores: { run: (options) => onBothEngines((given) => restoresCampaign({ ...given, megabytes: 20 }), options), rounds: 20 },
  'restore-kills': { run: (options) => onBothEngines((given) => restoreKillsCampaign({ ...given, megabytes: 50 }), options), rounds: 100 },
  'full-operators': { run: fullOperatorsCampaign, rounds: 5 },
  // Rounds are seconds.
  'many-instances': {
    run: (options) => onBothEngines((given) => manyInstancesCampaign({ ...given, instances: given.engine === 'sqlite' ? 4 : 2 }), options),
    rounds: 60,
  },
  // Rounds are rows.
  moves: { run: movesCampaign, rounds: 2_000_000 },
  failover: { run: failoverCampaign, rounds: 10 },
  'access-mutants': { run: accessMutantsCampaign, rounds: 1_000 },
  migrations: {
    run: (options) => onBothEngines((given) => migrationsCampaign({ ...given, rows: 40, largeRows: 1_000_000, largeRounds: 8 }), options),
    rounds: 1_000,
  },
  'access-requests': { run: (options) => onBothEngines(accessRequestsCampaign, options), rounds: 24_000 },
  changes: { run: (options) => onBothEngines(changesCampaign, options), rounds: 30_000 },
  shippers: { run: (options) => onBothEngines(shippersCampaign, options), rounds: 100_000 },
  // Both engines are asked at once, whichever is named.
  differences: { run: (options) => withBothEngines((urls) => differencesCampaign({ ...options, urls })), rounds: 50_000 },
  requests: { run: (options) => onBothEngines(requestsCampaign, options), rounds: 20_000 },
}

const words = process.argv.slice(2)
const flag = (name: string): boolean => {
  const at = words.indexOf(`--${name}`)
  return at >= 0 && words.splice(at, 1).length > 0
}
const word = (name: string): string | undefined => {
  const at = words.indexOf(`--${name}`)
  return at < 0 ? undefined : words.splice(at, 2)[1]
}
const option = (name: string): number | undefined => {
  const found = word(name)
  return found === undefined ? undefined : Number(found)
}
const add = flag('add')
const wanted = word('engine')
const engine = engineNames.find((name) => name === wanted)
if (wanted !== undefined && !engine) throw new Error(`"${wanted}" is no engine. There are ${engineNames.join(', ')}.`)
const rounds = option('rounds')
const seed = option('seed') ?? Math.floor(Math.random() * 2 ** 31)
let failed = false
for (const name of words.length > 0 ? words : Object.keys(campaigns)) {
  const campaign = campaigns[name]
  if (!campaign) throw new Error(`"${name}" is no campaign. There are ${Object.keys(campaigns).join(', ')}.`)
  const report = (line: string): void => void process.stdout.write(`${line}\n`)
  const part = await campaign.run({ rounds: rounds ?? campaign.rounds, seed, engine, report })
  const before = add ? evidenceSoFar(name) : undefined
  const evidence = before ? addPart(before, part) : part
  writeEvidence(evidence)
  const zeros = zerosIn(evidence)
  for (const zero of zeros) report(`NOT YET: ${zero}`)
  failed ||= zeros.length > 0 || evidence.faults.length > 0 || evidence.roundsDone < evidence.roundsAsked
  for (const fault of evidence.faults.slice(0, 20)) process.stdout.write(`FAULT ${fault}\n`)
  process.stdout.write(
    `${name}: ${evidence.roundsDone} of ${evidence.roundsAsked} rounds, ${evidence.faults.length} faults, ${JSON.stringify(evidence.counts)}\n`,
  )
}
process.exitCode = failed ? 1 : 0
