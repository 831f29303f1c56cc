import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type PostgresBinaries, postgresBinaries, unprivilegedId } from './postgres-binaries.ts'
import { startWatchdog } from './postgres-watchdog.ts'
import type { TempFolder } from './temp-folder.ts'

/** Whom the files belong to, and the programs run as. */
interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/** Where the programs and the files of servers are. */
export interface PostgresHome {
  readonly folder: TempFolder
  readonly binaries: PostgresBinaries
  readonly owner: Owner
}

/** Puts the programs where they can run. */
export async function postgresHome(folder: TempFolder): Promise<PostgresHome> {
  const asRoot = process.getuid?.() === 0
  const owner: Owner = asRoot ? { uid: unprivilegedId, gid: unprivilegedId } : {}
  await chmod(folder.path, 0o755)
  return { folder, binaries: await postgresBinaries(folder.path, asRoot), owner }
}

/** Makes folders that belong to whoever the servers run as. */
export async function makeFolders({ folder, owner }: PostgresHome, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder.path, name)
    await mkdir(path, { mode: 0o700 })
    await give(path, owner)
  }
}

export async function give(path: string, { uid, gid }: Owner): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid)
}

/** Makes an empty cluster, whose superuser is `postgres` and has no password. */
export async function initialiseCluster({ folder, binaries, owner }: PostgresHome, data: string): Promise<void> {
  const flags = ['--username=postgres', '--auth=trust', '--no-sync', '--locale=C', '--encoding=UTF8', '--no-instructions']
  await promisify(execFile)(binaries.initdb, ['-D', join(folder.path, data), ...flags], { ...owner, cwd: folder.path })
}

/** A server that is there until it is stopped, or this process ends. */
export interface PostgresProcess {
  readonly child: ChildProcess
  /** Disconnects all clients, writes everything down and ends. */
  stop(): Promise<void>
}

/** Starts a server on a folder of data, and resolves when it takes connections. */
export async function launchPostgres(
  { folder, binaries, owner }: PostgresHome,
  data: string,
  settings: Readonly<Record<string, string>>,
): Promise<PostgresProcess> {
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: join(folder.path, 'socket'), ...settings }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(binaries.postgres, ['-D', join(folder.path, data), ...flags], {
    ...owner,
    cwd: folder.path,
    // a group of its own: Ctrl-C in the terminal reaches the tests first, and they stop the server when they are done
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const watchdog = startWatchdog(child.pid, folder.path)
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.ref()
      child.kill('SIGINT')
      await exited
    }
    watchdog.dismiss()
  }
  try {
    await ready(child)
    return { child, stop }
  } catch (error) {
    watchdog.dismiss()
    throw error
  }
}

/** Resolves when the server says that it takes connections; rejects with all that it said when it ends before. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    let settled = false
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      // the pipe is read to the end of the server's life, or the server would stall on it
      if (settled) return
      log += chunk
      if (!/ready to accept (?:read-only )?connections/.test(log)) return
      settled = true
      // neither the server nor its log keeps a script alive that has nothing left to do
      child.unref()
      if (child.stderr && 'unref' in child.stderr && typeof child.stderr.unref === 'function') child.stderr.unref()
      resolve()
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`PostgreSQL did not start (${signal ?? code}):\n${log}`)))
  })
}
