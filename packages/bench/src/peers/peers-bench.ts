import { copyFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { type Comparison, compare, markdown } from '../beside-hand/compare.ts'
import type { Operation } from '../beside-hand/load-process.ts'
import { inRounds, type RoundOptions } from '../beside-hand/rounds.ts'
import { moment, seed } from '../beside-hand/seed.ts'
import { deletesShare } from '../beside-hand/settings.ts'
import { LoadGenerator, type Side, startSide } from '../beside-hand/side.ts'
import { onPostgres } from '../on-postgres.ts'
import { seedUsers } from '../postgres/seed-users.ts'
import { folderOf, installPeer } from './install-peer.ts'
import { peerTables } from './peer-tables.ts'
import { type Peer, peers, unmeasured } from './peers.ts'
import { requireSameRecords } from './same-records.ts'

export interface PeersOptions extends RoundOptions {
  /** How long a server is under load in a round. */
  readonly seconds: number
  /** Names in small letters. */
  readonly peers: readonly string[]
  readonly operations: readonly Operation[]
  readonly report: (line: string) => void
}

/** A peer that cannot be installed or run here, and what it said. */
interface Absent {
  readonly peer: string
  readonly reason: string
}

const connections = 64
const records = 100_000

/** The same requests to Strongroom and to each peer, in turn. */
export async function peersBench(folder: string, options: PeersOptions) {
  const chosen = peers.filter(({ name }) => options.peers.includes(name.toLowerCase()))
  if (chosen.length < options.peers.length)
    throw new Error(`There are the peers ${peers.map(({ name }) => name.toLowerCase()).join(', ')}.`)
  const seeds = { ours: join(folder, 'seed-strongroom.db'), theirs: join(folder, 'seed-peer.db') }
  await seed(seeds.ours, seeds.theirs, records)
  const comparisons: Comparison[] = []
  const absent: Absent[] = []
  for (const peer of chosen) {
    try {
      options.report(`${peer.name} is installed`)
      installPeer(peer)
      comparisons.push(...(await onDatabases(peer, folder, seeds, (databases) => beside(peer, databases, options))))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      options.report(`${peer.name}: ${reason}`)
      absent.push({ peer: peer.name, reason: reason.split('\n', 1)[0] ?? '' })
    }
  }
  const least = (of: (comparison: Comparison) => number): number => Math.min(options.rounds, ...comparisons.map(of))
  const [roundsDone, silentRounds] = [least(({ rounds }) => rounds), least((comparison) => comparison.silentRounds)]
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Linux ${release()}`
  const head = `${machine}; Node ${process.version}; ${connections} connections; ${new Date().toISOString().slice(0, 10)}; ${roundsDone} rounds, of which at least ${silentRounds} were silent`
  const notes = chosen.map(({ name, note }) => {
    const gone = absent.find(({ peer }) => peer === name)
    return `- **${name}**: ${note}${gone ? ` **Not measured here**: ${gone.reason}` : ''}`
  })
  const others = unmeasured.map(({ name, goal, reason }) => `- **${name}** (goal ${goal}) is **not measured**: ${reason}`)
  const table = [head, '', markdown(comparisons), '', ...notes, ...others].join('\n')
  return { machine, connections, roundsAsked: options.rounds, roundsDone, silentRounds, comparisons, absent, table }
}

interface Databases {
  /** URLs; a peer on SQLite is told the file's name. */
  readonly ours: string
  readonly theirs: string
}

/** Gives Strongroom and a peer a database each, with the same people. */
function onDatabases<T>(peer: Peer, folder: string, seeds: Databases, work: (databases: Databases) => Promise<T>): Promise<T> {
  if (peer.engine === 'sqlite') {
    const [ours, theirs] = [join(folder, `${peer.folder}-strongroom.db`), join(folder, `${peer.folder}.db`)]
    copyFileSync(seeds.ours, ours)
    copyFileSync(seeds.theirs, theirs)
    return work({ ours: `sqlite:${ours}`, theirs })
  }
  return onPostgres('strongroom', async (ours, askOurs, ourSchema) => {
    await seedUsers(ours, records)
    // As the peer's tables are.
    await askOurs(`SET search_path = ${ourSchema}; ANALYZE`)
    return onPostgres('peer', async (theirs, ask, schema) => {
      await ask(peerTables(schema, records, moment))
      return work({ ours, theirs })
    })
  })
}

async function beside(
  peer: Peer,
  { ours, theirs }: Databases,
  { rounds, keepAll, seconds, operations, report }: PeersOptions,
): Promise<Comparison[]> {
  const generator = new LoadGenerator()
  const sides: Side[] = []
  try {
    const strongroom = await startSide(generator, { name: 'strongroom', program: './servers/strongroom.ts', args: [ours] })
    sides.push(strongroom)
    const program = new URL('server.mjs', folderOf(peer)).href
    const other = await startSide(generator, { name: peer.name, program, args: [theirs], wire: peer.wire, env: { NODE_ENV: 'production' } })
    sides.push(other)
    await requireSameRecords(strongroom, other)
    const comparisons: Comparison[] = []
    for (const operation of operations) {
      const time = operation === 'delete' ? seconds * deletesShare : seconds
      const loads = sides.map((side) => () => side.load(operation, { connections, seconds: time }))
      const found = await inRounds(loads, { rounds, keepAll })
      const goal = peer.goals[operation]
      const question = { what: operation, against: peer.name }
      comparisons.push(
        compare(found, 1, { ...question, unit: 'requests/s', value: ({ perSecond }) => perSecond, ...(goal && { goal }) }),
        compare(found, 1, { ...question, unit: 'µs CPU', value: ({ microseconds }) => microseconds, isTime: true }),
      )
      for (const { unit, strongroom: we, other: they, ratio } of comparisons.slice(-2))
        report(`${operation}, ${unit}: ${we}, ${peer.name} ${they}: ${ratio}`)
    }
    return comparisons
  } finally {
    for (const side of sides) await side.stop()
    generator.stop()
  }
}
