import { appendFile, cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { give, initialiseCluster, launchPostgres, makeFolders, type PostgresProcess, postgresHome } from './postgres-process.ts'
import { tempFolder } from './temp-folder.ts'

/** A primary, and a standby without whose word it acknowledges no commit. */
export interface PostgresCluster {
  /** Both hosts, e.g. `postgres://postgres@127.0.0.1:40123,127.0.0.1:40124/postgres`. */
  readonly url: string
  readonly primaryUrl: string
  readonly standbyUrl: string
  /** Ends the primary as a power cut would: all its processes at once. */
  killPrimary(): Promise<void>
  /** Has the standby take over; resolves when it takes writes. */
  promoteStandby(): Promise<void>
  stop(): Promise<void>
}

/** Durability as in production: what is acknowledged here has to be there. */
const settings = {
  fsync: 'on',
  synchronous_commit: 'on',
  wal_level: 'replica',
  hot_standby: 'on',
  max_connections: '100',
  jit: 'off',
}

/** The standby's name for its primary. */
const standbyName = 'standby'

/**
 * Starts a primary with a streaming, synchronous standby, both from the embedded programs: the standby is a cold copy of the primary's
 * folder. It is never a server that TEST_DATABASE_URL names.
 *
 * @example
 * const cluster = await startPostgresCluster()
 * await cluster.killPrimary()
 * await cluster.promoteStandby()
 */
export async function startPostgresCluster(): Promise<PostgresCluster> {
  const folder = await tempFolder('postgres-cluster')
  const started: PostgresProcess[] = []
  const stop = async (): Promise<void> => {
    for (const server of started) await server.stop()
    await folder.remove()
  }
  try {
    const home = await postgresHome(folder)
    await makeFolders(home, ['primary', 'standby', 'socket'])
    await initialiseCluster(home, 'primary')
    await copyCold(join(folder.path, 'primary'), join(folder.path, 'standby'), (path) => give(path, home.owner))
    const ports = [await freePort(), await freePort()] as const
    const urls = ports.map((port) => `postgres://postgres@127.0.0.1:${port}/postgres`) as [string, string]
    // In a file, where tests can change it: what the command line says stays.
    await appendFile(join(folder.path, 'primary', 'postgresql.auto.conf'), `synchronous_standby_names = '${standbyName}'\n`)
    const primary = await launchPostgres(home, 'primary', { ...settings, port: String(ports[0]) })
    started.push(primary)
    const standby = await launchPostgres(home, 'standby', {
      ...settings,
      port: String(ports[1]),
      primary_conninfo: `host=127.0.0.1 port=${ports[0]} user=postgres application_name=${standbyName}`,
    })
    started.push(standby)
    await until(urls[0], `SELECT sync_state = 'sync' AS done FROM pg_stat_replication WHERE application_name = '${standbyName}'`)
    return {
      url: `postgres://postgres@127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}/postgres`,
      primaryUrl: urls[0],
      standbyUrl: urls[1],
      killPrimary: () => killAll(primary),
      promoteStandby: () => promote(urls[1]),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Copies the folder of a server that does not run, and has it follow. */
async function copyCold(from: string, to: string, own: (path: string) => Promise<void>): Promise<void> {
  await cp(from, to, { recursive: true })
  await writeFile(join(to, 'standby.signal'), '')
  for (const entry of await readdir(to, { recursive: true, withFileTypes: true })) await own(join(entry.parentPath, entry.name))
}

/** Its children are in process groups of their own, and would go on for a moment. */
async function killAll({ child }: PostgresProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const family = [pid, ...(await childrenOf(pid))]
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.ref()
  for (const one of family) {
    try {
      process.kill(one, 'SIGKILL')
    } catch {
      // it has ended by itself meanwhile
    }
  }
  await exited
}

/** As Linux tells it; elsewhere the children end when they notice. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

async function promote(url: string): Promise<void> {
  await ask(url, 'SELECT pg_promote(true, 60)')
  await until(url, 'SELECT NOT pg_is_in_recovery() AS done')
}

/** Milliseconds between two looks. */
const lookPause = 20

async function until(url: string, sql: string): Promise<void> {
  while ((await ask(url, sql))['done'] !== true) await new Promise((resolve) => setTimeout(resolve, lookPause))
}

async function ask(url: string, sql: string): Promise<Record<string, unknown>> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return rows[0] ?? {}
  } finally {
    await client.end()
  }
}
