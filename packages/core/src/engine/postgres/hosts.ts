import { UsageError } from '../../errors.ts'

/** Where a database is served. */
export interface Hosts {
  /** A URL for each host, in the order given. */
  readonly urls: readonly string[]
  /** Only the one that takes writes will do. */
  readonly primary: boolean
}

const parts = /^(postgres(?:ql)?:\/\/(?:[^@/?#]*@)?)([^/?#]*)([^#]*)/i

/** What `target_session_attrs` may say, as libpq has it, and whether a standby is passed over then. */
const attributes: Readonly<Record<string, boolean>> = { any: false, primary: true, 'read-write': true }

/**
 * Reads `postgres://user:password@one:5432,two:5433/app`: several hosts are a primary and its standbys, of which the one that takes writes
 * is meant, unless `target_session_attrs=any` is said.
 *
 * @throws UsageError `invalid_options` for what is no such URL; the sentence has nothing of it, which may hold a password
 */
export function readHosts(url: string): Hosts {
  const [, start, authority, rest] = parts.exec(url) ?? []
  if (start === undefined || authority === undefined || rest === undefined) throw notUnderstood()
  const [path = '', query] = rest.split('?')
  const parameters = new URLSearchParams(query)
  const wanted = parameters.get('target_session_attrs')
  if (wanted !== null && !Object.hasOwn(attributes, wanted))
    throw new UsageError('invalid_options', `target_session_attrs is ${Object.keys(attributes).join(', ')}. Correct it in the URL.`)
  parameters.delete('target_session_attrs')
  // node-postgres reads parameters with decodeURIComponent, to which a plus sign is a plus sign
  const asked = wanted === null ? (query ?? '') : parameters.toString().replaceAll('+', '%20')
  const hosts = authority.split(',')
  const urls = hosts.map((host) => `${start}${host}${path}${asked === '' ? '' : `?${asked}`}`)
  if (!urls.every((one) => URL.canParse(one)) || (hosts.length > 1 && hosts.includes(''))) throw notUnderstood()
  return { urls, primary: wanted === null ? hosts.length > 1 : attributes[wanted] === true }
}

function notUnderstood(): UsageError {
  return new UsageError(
    'invalid_options',
    'The database URL cannot be understood. Write it as postgres://user:password@host:5432/database, or with several hosts as postgres://user:password@one:5432,two:5432/database.',
  )
}
