import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
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

/** Milliseconds of load before anything is measured. */
const warmUp = 10_000

const run = promisify(execFile)
const checkScript = fileURLToPath(new URL('./check-backup.ts', import.meta.url))

export interface OperatorsOptions extends ClientsOptions {
  /** Of the database, which is written to. */
  readonly url: string
  /** Seconds of a window in which nothing but the load happens. */
  readonly seconds: number
  readonly rounds: number
  readonly report: (line: string) => void
}

/** Makes a backup, an export and a restore of a large database, each to its end, while clients write and read. */
export async function operatorsBench(folder: string, options: OperatorsOptions): Promise<Window[]> {
  const { report } = options
  const server = await startServer('operators-server', options.url, { built: true })
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
    const nothing = (): Promise<void> => pause(options.seconds * 1_000)
    for (let round = 0; round < options.rounds; round++) {
      await during('none', nothing)
      const backup = join(folder, 'backup.sqlite')
      const known = join(folder, 'acknowledged.json')
      writeFileSync(known, JSON.stringify(await clients.acknowledged()))
      await during('backup', () => download(`${server.url}/db/backup.sqlite`, backup))
      await during('after the backup', () => pause(3_000))
      const check = JSON.parse((await run(process.execPath, [checkScript, backup, known])).stdout)
      report(`the backup: ${JSON.stringify(check)}`)
      if (check.integrity !== 'ok' || check.orphans !== 0 || check.missing !== 0) throw new Error('The backup is not whole.')
      Object.assign(windows.at(-2) ?? {}, { found: check })
      await during('none', nothing)
      await during('export', () => download(`${server.url}/db/export.zip`, join(folder, 'export.zip')))
      await during('after the export', () => pause(3_000))
      await during('none', nothing)
      await during('restore', () => restoreFile(server.url, backup))
      await during('after the restore', () => pause(3_000))
    }
    return windows
  } finally {
    await clients.end()
    await server.stop()
  }
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
