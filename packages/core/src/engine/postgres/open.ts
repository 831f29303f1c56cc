import { StorageUnavailableError, UsageError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import type { PostgresSettings } from '../settings.ts'
import type { StatementListener } from '../statement-listener.ts'
import { type Client, makePgClient } from './client.ts'
import { Connector, StandbyError } from './connector.ts'
import { loadPg, type PgDriver } from './driver.ts'
import { sqlState } from './errors.ts'
import { type Hosts, readHosts } from './hosts.ts'
import { PostgresEngine, type PostgresParts } from './postgres-engine.ts'
import { assertSpeech, type SessionLimits, setup } from './session-setup.ts'
import { stagingExists } from './staging-name.ts'
import { StatementNames } from './statement-names.ts'
import { resultTypes } from './values.ts'

export interface PostgresEngineOptions extends PostgresSettings {
  readonly onStatement?: StatementListener | undefined
  /** e.g. `postgres://user:password@host:5432/database`, with several hosts `postgres://user:password@one:5432,two:5432/database`. */
  readonly url: string
  /** How often a unit that lost against others (deadlock, serialization failure) runs again. Default 5. */
  readonly retries?: number
}

/**
 * Opens a PostgreSQL database. It connects once before it resolves, so that a wrong URL is told at once.
 *
 * @throws UsageError `invalid_options` when `pg` is not installed, the URL is none, or the database cannot serve
 * @throws StorageUnavailableError when the server cannot be reached or refuses the login
 * @example
 * const engine = await openPostgresEngine({ url: 'postgres://localhost/app' })
 */
export async function openPostgresEngine(options: PostgresEngineOptions): Promise<Engine> {
  assertOptions(options)
  const driver = await loadPg()
  const connectWait = options.connectWait ?? 5_000
  const limits: SessionLimits = {
    statement: options.statementTimeout ?? 0,
    idleInTransaction: options.idleInTransactionTimeout ?? 60_000,
    pooled: options.pooler === 'transaction',
  }
  const hosts = readHosts(options.url)
  const connector = new Connector(driver, {
    hosts,
    connectWait,
    types: resultTypes(driver),
    names: limits.pooled ? undefined : new StatementNames(),
    setup: setup(limits),
    onStatement: options.onStatement,
  })
  const onlyPooled = limits.pooled && options.directUrl === undefined
  const { first, foundStaging, passesPolicies } = await tryConnection(driver, connector, hosts, limits)
  return new PostgresEngine({
    connector,
    pool: { connectWait, poolSize: options.poolSize ?? 10, first },
    place: { engine: 'postgres', url: options.directUrl ?? options.url, connectWait, ...(onlyPooled && { pooled: true }) },
    limits,
    foundStaging: foundStaging && !onlyPooled,
    retries: options.retries ?? 5,
    passesPolicies,
  })
}

function assertOptions(options: PostgresEngineOptions): void {
  if (options.directUrl !== undefined) readHosts(options.directUrl)
  if (options.pooler !== undefined && options.pooler !== 'transaction')
    throw new UsageError('invalid_options', "pooler is 'transaction', or left out.")
  const atLeast = { poolSize: 1, connectWait: 1, statementTimeout: 0, idleInTransactionTimeout: 0, retries: 0 }
  for (const [name, least] of Object.entries(atLeast)) {
    const value = options[name as keyof typeof atLeast]
    if (value === undefined || (Number.isInteger(value) && value >= least)) continue
    throw new UsageError('invalid_options', `${name} must be a whole number from ${least}.`)
  }
}

/** Whether a role passes policies. Tables that it does not own, and those with FORCE, ask for more than ownership. */
const passes = '(SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)'

/** What a first connection finds out about a database. It is kept: another one would cost some milliseconds and a server process. */
interface Found extends Pick<PostgresParts, 'passesPolicies' | 'foundStaging'> {
  readonly first: Client
}

async function tryConnection(driver: PgDriver, connector: Connector, hosts: Hosts, { pooled }: SessionLimits): Promise<Found> {
  const client = await connector.connectOnce().catch((cause: unknown) => {
    throw new StorageUnavailableError('storage_unavailable', `Cannot open ${place(driver, hosts)}: ${reason(cause)}.`, { cause })
  })
  try {
    if (pooled) await assertSpeech(client)
    const asked = ["current_setting('server_encoding') AS encoding", 'current_schema() AS schema', `${passes} AS passes`]
    const { rows } = await client.query({ sql: `SELECT ${asked.join(', ')}, ${stagingExists} AS staging` })
    if (rows[0]?.['encoding'] !== 'UTF8')
      throw new UsageError('invalid_options', 'The database is not encoded in UTF8. Create one with ENCODING UTF8.')
    if (rows[0]?.['schema'] === null)
      throw new UsageError('invalid_options', 'The search_path names no schema that exists. Create the schema, or name another.')
    return { first: client, passesPolicies: rows[0]?.['passes'] === true, foundStaging: rows[0]?.['staging'] === true }
  } catch (error) {
    await client.close()
    throw error
  }
}

/** Hosts, ports and database for people; never the user or the password. */
function place(driver: PgDriver, { urls }: Hosts): string {
  const about = urls.map((url) => makePgClient(driver, url))
  return `the PostgreSQL database ${about[0]?.database ?? ''} at ${about.map(({ host, port }) => `${host}:${port}`).join(' or ')}`
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  ETIMEDOUT: 'it does not answer',
  '28P01': 'the password is wrong',
  '28000': 'it refuses this user',
  '3D000': 'there is no database of that name',
  '53300': 'it has too many connections',
  '57P03': 'it is starting or shutting down',
}

function reason(cause: unknown): string {
  if (cause instanceof StandbyError) return 'it is a standby, which only reads'
  const system = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return reasons[sqlState(cause) ?? system] ?? 'the connection failed'
}
