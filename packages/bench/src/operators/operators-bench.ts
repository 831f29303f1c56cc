import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { foreignLoad, processorTimes } from '../foreign-load.ts'
import { startServer } from '../server-process.ts'
import { Clients, type ClientsOptions } from './clients-process.ts'
import { download, restoreFile } from './files-over-http.ts'
import { vitalsOf } from './server-vitals.ts'
import { lineOf, type Window } from './windows.ts'

/** Milliseconds of load before anything is measured: the heap for requests grows for so long. */
const warmUp = 30_000

const run = promisify(execFile)
const checkScript = fileURLToPath(new URL('./check-backup.ts', import.meta.url))

/** Milliseconds for which nothing is done: as long as the longest of the others takes on a gigabyte. What the load does to the memory by itself shows then. */
const nothingTime = 240_000

/** What operators do while everybody else writes and reads. */
export const deedNames = ['backup', 'export', 'restore'] as const
/** Those that are to be asked for: it shows what the others are held against. */
export const allDeedNames = [...deedNames, 'nothing'] as const
export type DeedName = (typeof allDeedNames)[number]

export interface OperatorsOptions extends ClientsOptions {
  /** Of the database, which is written to. */
  readonly url: string
  /** Those of a round: all of them take minutes, and a machine is seldom silent for so long. */
  readonly deeds: readonly DeedName[]
  /** Seconds of a window in which nothing but the load happens. */
  readonly seconds: number
  readonly rounds: number
  readonly report: (line: string) => void
}

/** Makes a backup, an export and a restore of a large database, each to its end, while clients write and read. */
export async function operatorsBench(folder: string, options: OperatorsOptions): Promise<Window[]> {
  const { deeds, report, rounds, seconds } = options
  const server = await startServer('operators-server', options.url, { built: true })
  const away = awayFrom(folder)
  const backup = join(away, 'backup.sqlite')
  // What is restored has to be there; making it is not measured.
  if (deeds.includes('restore') && !deeds.includes('backup')) await download(`${server.url}/db/backup.sqlite`, backup)
  const clients = new Clients(server.url, options)
  try {
    // Code that is run for the first time is slow, and grows the memory.
    await pause(warmUp)
    const windows: Window[] = []
    const during = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      const window = await measure(clients, server.url, what, work)
      windows.push(window)
      report(lineOf(window))
    }
    const known = join(folder, 'acknowledged.json')
    const work: Readonly<Record<DeedName, () => Promise<unknown>>> = {
      backup: () => download(`${server.url}/db/backup.sqlite`, backup),
      export: () => download(`${server.url}/db/export.zip`, join(away, 'export.zip')),
      restore: () => restoreFile(server.url, backup),
      nothing: () => pause(nothingTime),
    }
    for (let round = 0; round < rounds; round++) {
      for (const deed of deeds) {
        await during('none', () => pause(seconds * 1_000))
        if (deed === 'backup') writeFileSync(known, JSON.stringify(await clients.acknowledged()))
        await during(deed, work[deed])
        await during(`after the ${deed}`, () => pause(3_000))
        // The next backup has what was written since, and what the restored one had.
        if (deed === 'restore') clients.forget()
        if (deed === 'backup') Object.assign(windows.at(-2) ?? {}, { found: await check(backup, known, report) })
      }
    }
    return windows
  } finally {
    await clients.end()
    await server.stop()
    rmSync(away, { recursive: true })
  }
}

/** A folder for what clients download: theirs is another disk than the server's. */
function awayFrom(folder: string): string {
  const memory = '/dev/shm'
  return mkdtempSync(join(existsSync(memory) ? memory : folder, 'strongroom-downloads-'))
}

/** Looks at a backup with another program, and answers what it found. */
async function check(backup: string, known: string, report: (line: string) => void): Promise<unknown> {
  const found = JSON.parse((await run(process.execPath, [checkScript, backup, known])).stdout)
  report(`the backup: ${JSON.stringify(found)}`)
  if (found.integrity !== 'ok' || found.orphans !== 0 || found.missing !== 0) throw new Error('The backup is not whole.')
  return found
}

async function measure(clients: Clients, url: string, what: string, work: () => Promise<unknown>): Promise<Window> {
  await clients.window()
  await vitalsOf(url)
  const times = processorTimes()
  const start = performance.now()
  const found = await work()
  const seconds = (performance.now() - start) / 1_000
  const foreign = foreignLoad(times, processorTimes(), seconds)
  const vitals = await vitalsOf(url)
  return {
    what,
    seconds,
    clients: await clients.window(),
    ...(foreign !== undefined && { foreign }),
    vitals,
    ...(found !== undefined && { found }),
  }
}
