import { freePort } from './free-port.ts'
import { initialiseCluster, launchPostgres, makeFolders, type PostgresHome, postgresHome } from './postgres-process.ts'
import { tempFolder } from './temp-folder.ts'

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
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  // a checkpoint in mid-run would only steal disk time from the tests
  max_wal_size: '4GB',
  // plans of the tests' small tables do not gain from it, and compiling takes longer than they do
  jit: 'off',
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
  const folder = await tempFolder('postgres')
  try {
    const home = await postgresHome(folder)
    await makeFolders(home, ['data', 'socket'])
    await initialiseCluster(home, 'data')
    return await startServer(home)
  } catch (error) {
    await folder.remove()
    throw error
  }
}

async function startServer(home: PostgresHome): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      const { stop } = await launchPostgres(home, 'data', { ...serverSettings, port: String(port) })
      const remove = async (): Promise<void> => {
        await stop()
        await home.folder.remove()
      }
      return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop: remove }
    } catch (error) {
      if (attempt === portAttempts) throw error
    }
  }
}
