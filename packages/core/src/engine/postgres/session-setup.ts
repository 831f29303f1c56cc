import { UsageError } from '../../errors.ts'
import type { Client, ClientStatement } from './client.ts'

/** What the server ends by itself, in milliseconds; 0 for no limit. */
export interface SessionLimits {
  /** A single statement. */
  readonly statement: number
  /** A transaction in which nothing is asked: whoever had it may hang, and keeps what it has locked. */
  readonly idleInTransaction: number
  /** A pooler hands out another session with each transaction, so that limits are said in each. */
  readonly pooled: boolean
}

export const noLimits: SessionLimits = { statement: 0, idleInTransaction: 0, pooled: false }

/** How every session speaks, whatever the server, the database or the role have as their defaults. */
const speech = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  quote_all_identifiers: 'off',
  // Without it a null in a list of texts is the text NULL.
  array_nulls: 'on',
}

const standby = 'pg_is_in_recovery() AS standby'

/** The first statement of a session. */
export function setup({ statement, idleInTransaction, pooled }: SessionLimits): ClientStatement {
  if (pooled) return { sql: `SELECT ${standby}` }
  const settings = {
    ...speech,
    // For statements that are a transaction by themselves; the others say it with BEGIN.
    default_transaction_isolation: 'read committed',
    ...(statement > 0 && { statement_timeout: String(statement) }),
    idle_in_transaction_session_timeout: String(idleInTransaction),
  }
  const calls = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`)
  return { sql: `SELECT ${calls.join(', ')}, ${standby}` }
}

/** Behind a pooler nothing can be set for a session: it has to be right already. */
const isRight: Readonly<Record<Exclude<keyof typeof speech, 'TimeZone'>, (value: string) => boolean>> = {
  DateStyle: (value) => value.startsWith('ISO'),
  bytea_output: (value) => value === 'hex',
  extra_float_digits: (value) => Number(value) >= 1,
  standard_conforming_strings: (value) => value === 'on',
  quote_all_identifiers: (value) => value === 'off',
  array_nulls: (value) => value === 'on',
}

/** Throws UsageError `invalid_options` where a session behind a pooler speaks another way. */
export async function assertSpeech(client: Client): Promise<void> {
  const names = Object.keys(isRight) as (keyof typeof isRight)[]
  const { rows } = await client.query({ sql: `SELECT ${names.map((name) => `current_setting('${name}') AS "${name}"`).join(', ')}` })
  const wrong = names.find((name) => !isRight[name](String(rows[0]?.[name])))
  if (wrong === undefined) return
  throw new UsageError(
    'invalid_options',
    `Behind the pooler ${wrong} is ${String(rows[0]?.[wrong])}, which this library cannot work with. Set it for the database: ALTER DATABASE … SET ${wrong} = '${speech[wrong]}'.`,
  )
}

const locally = (statement: number, idle: number): string =>
  `; SET LOCAL statement_timeout = ${statement}; SET LOCAL idle_in_transaction_session_timeout = ${idle}`

/** Said with BEGIN for what may take as long as it needs. */
export const withoutLimits = locally(0, 0)

/** What is said with BEGIN for work that may take so many milliseconds; empty where the session's own limits do. */
export function limitsWithin({ statement, idleInTransaction, pooled }: SessionLimits, timeLimit: number): string {
  if (timeLimit === Number.POSITIVE_INFINITY) return withoutLimits
  const isLonger = idleInTransaction > 0 && timeLimit >= idleInTransaction
  return pooled || isLonger ? locally(statement, isLonger ? 0 : idleInTransaction) : ''
}
