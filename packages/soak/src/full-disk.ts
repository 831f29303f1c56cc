import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '@strongroom/testkit'
import type { Evidence } from './evidence.ts'
import { findFaults, readStored } from './examine.ts'
import type { CampaignOptions } from './kills.ts'
import { seconds } from './kills.ts'
import { Ledger } from './ledger.ts'
import { seededRandom } from './random.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { runWriter } from './writer.ts'

const writers = 64

/** A disk that can be full, and have room again. */
interface SmallDisk {
  readonly database: string
  readonly maxPages?: number
  makeRoom(server: ServerProcess): Promise<void>
  remove(): Promise<void>
}

/** The database may have so many pages; records are deleted to make room. */
export function pageLimitCampaign(options: CampaignOptions): Promise<Evidence> {
  return fullDiskCampaign('full-pages', options, async (random) => {
    const folder = await tempFolder('full-pages')
    return {
      database: join(folder.path, 'small.db'),
      maxPages: 1_500 + Math.floor(random() * 1_000),
      makeRoom: deleteRecords,
      remove: folder.remove,
    }
  })
}

/** A file system in memory of 3 MB, which is made larger to make room. Needs the right to mount. */
export function tmpfsCampaign(options: CampaignOptions): Promise<Evidence> {
  return fullDiskCampaign('full-tmpfs', options, async () => {
    const folder = await tempFolder('full-tmpfs')
    const mount = join(folder.path, 'disk')
    mkdirSync(mount)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', mount])
    return {
      database: join(mount, 'small.db'),
      makeRoom: async () => void execFileSync('mount', ['-o', 'remount,size=64m', mount]),
      remove: async () => {
        execFileSync('umount', [mount])
        await folder.remove()
      },
    }
  })
}

/** Fills the disk under 64 writers: nothing is reported failed that is stored, or stored that is reported failed, and writing goes on when there is room. */
async function fullDiskCampaign(
  campaign: string,
  options: CampaignOptions,
  makeDisk: (random: () => number) => Promise<SmallDisk>,
): Promise<Evidence> {
  const { rounds, seed, report = () => undefined } = options
  const started = performance.now()
  const random = seededRandom(seed)
  const faults: string[] = []
  const counts = { acknowledged: 0, refused: 0, acknowledgedAfterRoom: 0 }
  let done = 0
  for (; done < rounds; done++) {
    const disk = await makeDisk(random)
    try {
      const ledger = await fillOnce(disk, done, counts, faults)
      const stored = await readStored(disk.database)
      faults.push(...findFaults(ledger, stored).map((fault) => `round ${done}: ${fault}`))
    } finally {
      await disk.remove()
    }
    report(
      `${campaign} ${done + 1}/${rounds}: ${counts.acknowledged} acknowledged, ${counts.refused} refused in all, ${faults.length} faults so far`,
    )
  }
  return { campaign, engine: 'sqlite', seed, roundsAsked: rounds, roundsDone: done, counts, faults, duration: seconds(started) }
}

async function fillOnce(
  disk: SmallDisk,
  round: number,
  counts: { acknowledged: number; refused: number; acknowledgedAfterRoom: number },
  faults: string[],
): Promise<Ledger> {
  const server = await startServer(disk.database, disk.maxPages === undefined ? {} : { maxPages: disk.maxPages })
  const ledger = new Ledger()
  try {
    const enough = writers * 4
    await write(server, ledger, `r${round}-full`, () => ledger.refused >= enough)
    if ((await fetch(`${server.url}/counters?limit=1`)).status !== 200)
      faults.push(`round ${round}: reads do not go on while the disk is full`)
    const before = ledger.acknowledged
    counts.refused += ledger.refused
    await disk.makeRoom(server)
    await write(server, ledger, `r${round}-room`, () => ledger.acknowledged >= before + writers)
    counts.acknowledgedAfterRoom += ledger.acknowledged - before
    counts.acknowledged += ledger.acknowledged
    return ledger
  } finally {
    await server.stop()
  }
}

/** Seconds after which writers give up: a campaign must not hang on a server that never has room again. */
const patience = 30

async function write(server: ServerProcess, ledger: Ledger, prefix: string, enough: () => boolean): Promise<void> {
  const giveUp = performance.now() + patience * 1_000
  const stopped = (): boolean => enough() || performance.now() > giveUp
  const options = {
    url: server.url,
    ledger,
    prefix,
    stopped,
    writesPerRecord: 3,
    padding: (writer: number) => (writer % 8 === 0 ? 200_000 : 500),
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => runWriter(options, writer)))
  if (!enough() && ledger.surprises.length === 0)
    throw new Error(`${prefix}: the server was not where it should be after ${patience} seconds`)
}

/** Makes room inside the file: removes what the campaign's own ledger does not know of. */
async function deleteRecords(server: ServerProcess): Promise<void> {
  const answer = await fetch(`${server.url}/room`, { method: 'POST' })
  if (answer.status !== 200) throw new Error(`making room was answered ${answer.status}`)
}
