import type { ClientStatement } from './client.ts'

/** Makes every session speak in one way, whatever the server, the database or the role have as their defaults. */
export function setup(statementTimeout: number): ClientStatement {
  const settings = {
    TimeZone: 'UTC',
    DateStyle: 'ISO, YMD',
    bytea_output: 'hex',
    extra_float_digits: '1',
    standard_conforming_strings: 'on',
    quote_all_identifiers: 'off',
    ...(statementTimeout > 0 && { statement_timeout: String(statementTimeout) }),
  }
  const calls = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`)
  return { sql: `SELECT ${calls.join(', ')}` }
}
