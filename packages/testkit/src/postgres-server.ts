import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { type PostgresBinaries, postgresBinaries, unprivilegedId } from './postgres-binaries.ts'
import { startWatchdog, type Watchdog } from './postgres-watchdog.ts'
import { type TempFolder, tempFolder } from './temp-folder.ts'

/** A running PostgreSQL. */
export interface PostgresServer {
  /** For the superuser, e.g. `postgres://postgres@127.0.0.1:40123/postgres`. */
  readonly url: string
  /** Stops the server and removes its files; does nothing to a server that was given by TEST_DATABASE_URL. */
  stop(): Promise<void>
}

/** Tries again on another port when somebody took the free one between looking and listening. */
const portAttempts = 3

/** Durability is switched off: what these servers hold is thrown away. */
const serverSettings = {
  listen_addresses: '127.0.0.1',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  // a checkpoint in mid-run would only steal disk time from the tests
  max_wal_size: '4GB',
  // plans of the tests' small tables do not gain from it, and compiling takes longer than they do
  jit: 'off',
}

interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/**
 * A real PostgreSQL for tests, scripts and benches: the one named by TEST_DATABASE_URL, else an embedded one that
 * is started here and dies with this process, even when that is killed.
 *
 * @throws Error when no server can be had; nothing falls back to anything else.
 * @example
 * const server = await startPostgres()
 * try { await work(server.url) } finally { await server.stop() }
 */
export async function startPostgres(): Promise<PostgresServer> {
  const given = process.env['TEST_DATABASE_URL']
  if (given) return { url: given, stop: async () => {} }
  const asRoot = process.getuid?.() === 0
  const owner: Owner = asRoot ? { uid: unprivilegedId, gid: unprivilegedId } : {}
  const folder = await tempFolder('postgres')
  try {
    await chmod(folder.path, 0o755)
    const binaries = await postgresBinaries(folder.path, asRoot)
    await createCluster(binaries, folder, owner)
    return await startServer(binaries, folder, owner)
  } catch (error) {
    await folder.remove()
    throw error
  }
}

async function createCluster(binaries: PostgresBinaries, folder: TempFolder, owner: Owner): Promise<void> {
  for (const name of ['data', 'socket']) {
    const path = join(folder.path, name)
    await mkdir(path, { mode: 0o700 })
    if (owner.uid !== undefined && owner.gid !== undefined) await chown(path, owner.uid, owner.gid)
  }
  const flags = ['--username=postgres', '--auth=trust', '--no-sync', '--locale=C', '--encoding=UTF8', '--no-instructions']
  await promisify(execFile)(binaries.initdb, ['-D', join(folder.path, 'data'), ...flags], { ...owner, cwd: folder.path })
}

async function startServer(binaries: PostgresBinaries, folder: TempFolder, owner: Owner): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const settings = { ...serverSettings, port: String(port), unix_socket_directories: join(folder.path, 'socket') }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(binaries.postgres, ['-D', join(folder.path, 'data'), ...flags], {
      ...owner,
      cwd: folder.path,
      // a group of its own: Ctrl-C in the terminal reaches the tests first, and they stop the server when they are done
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const watchdog = startWatchdog(child.pid, folder.path)
    try {
      await ready(child)
      return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop: () => stopServer(child, watchdog, folder) }
    } catch (error) {
      watchdog.dismiss()
      if (attempt === portAttempts) throw error
    }
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
      if (!log.includes('ready to accept connections')) return
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

async function stopServer(child: ChildProcess, watchdog: Watchdog, folder: TempFolder): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.ref()
    child.kill('SIGINT')
    await exited
  }
  watchdog.dismiss()
  await folder.remove()
}
