import { StorageUnavailableError, UsageError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import type { PostgresSettings } from '../settings.ts'
import type { StatementListener } from '../statement-listener.ts'
import { Client, type ClientOptions, makePgClient } from './client.ts'
import { loadPg, type PgDriver } from './driver.ts'
import { sqlState } from './errors.ts'
import { PostgresEngine, type PostgresParts } from './postgres-engine.ts'
import { setup } from './session-setup.ts'
import { stagingExists } from './staging-name.ts'
import { StatementNames } from './statement-names.ts'
import { resultTypes } from './values.ts'

export interface PostgresEngineOptions extends PostgresSettings {
  readonly onStatement?: StatementListener | undefined
  /** e.g. `postgres://user:password@host:5432/database`. */
  readonly url: string
  /** Milliseconds after which the server stops a single statement. Default: no limit of its own. */
  readonly statementTimeout?: number
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
  const clients: ClientOptions = {
    url: options.url,
    connectWait: options.connectWait ?? 5_000,
    types: resultTypes(driver),
    names: new StatementNames(),
    setup: setup(options.statementTimeout ?? 0),
    onStatement: options.onStatement,
  }
  const { foundStaging, passesPolicies } = await tryConnection(driver, clients)
  return new PostgresEngine(driver, {
    pool: { ...clients, poolSize: options.poolSize ?? 10 },
    foundStaging,
    retries: options.retries ?? 5,
    passesPolicies,
  })
}

function assertOptions(options: PostgresEngineOptions): void {
  if (!URL.canParse(options.url))
    throw new UsageError(
      'invalid_options',
      'The database URL cannot be understood. Write it as postgres://user:password@host:5432/database.',
    )
  const atLeast = { poolSize: 1, connectWait: 1, statementTimeout: 0, retries: 0 }
  for (const [name, least] of Object.entries(atLeast)) {
    const value = options[name as keyof typeof atLeast]
    if (value === undefined || (Number.isInteger(value) && value >= least)) continue
    throw new UsageError('invalid_options', `${name} must be a whole number from ${least}.`)
  }
}

/** Whether a role passes policies. Tables that it does not own, and those with FORCE, ask for more than ownership. */
const passes = '(SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)'

/** What a first connection finds out about a database. */
type Found = Pick<PostgresParts, 'passesPolicies' | 'foundStaging'>

async function tryConnection(driver: PgDriver, options: ClientOptions): Promise<Found> {
  const client = await Client.connect(driver, options, 0).catch((cause: unknown) => {
    throw new StorageUnavailableError('storage_unavailable', `Cannot open ${place(driver, options)}: ${reason(cause)}.`, { cause })
  })
  try {
    const asked = ["current_setting('server_encoding') AS encoding", 'current_schema() AS schema', `${passes} AS passes`]
    const { rows } = await client.query({ sql: `SELECT ${asked.join(', ')}, ${stagingExists} AS staging` })
    if (rows[0]?.['encoding'] !== 'UTF8')
      throw new UsageError('invalid_options', 'The database is not encoded in UTF8. Create one with ENCODING UTF8.')
    if (rows[0]?.['schema'] === null)
      throw new UsageError('invalid_options', 'The search_path names no schema that exists. Create the schema, or name another.')
    return { passesPolicies: rows[0]?.['passes'] === true, foundStaging: rows[0]?.['staging'] === true }
  } finally {
    await client.close()
  }
}

/** Host, port and database for people; never the user or the password. */
function place(driver: PgDriver, options: ClientOptions): string {
  const { host, port, database } = makePgClient(driver, options)
  return `the PostgreSQL database ${database ?? ''} at ${host}:${port}`
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
  const system = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return reasons[sqlState(cause) ?? system] ?? 'the connection failed'
}
